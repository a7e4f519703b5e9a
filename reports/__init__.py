"""What the bureau reads: the workbook, in Chinese."""
