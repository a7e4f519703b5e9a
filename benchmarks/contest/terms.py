"""The law's numbers of the contest's nine items, as the scripts take them: rates in percent, amounts in yuan."""

Terms = dict[str, int]

TERMS: Terms = {
    "A4.03.award": 250_000,
    "A4.04.award": 50_000,
    "A4.05.award": 150_000,
    "A4.06.rate": 6,
    "A4.06.floor": 200_000,
    "A4.06.cap": 3_000_000,
    "A5.03.rate": 50,
    "A5.03.cap.一般重点领域": 5_000_000,
    "A5.03.cap.航空航天": 10_000_000,
    "A6.04.rate": 20,
    "A6.04.cap": 1_000_000,
    "A7.08.rate": 20,
    "A7.08.cap": 3_000_000,
    "A11.02.rate.low": 6,
    "A11.02.rate.high": 15,
    "A11.02.floor": 20_000_000,
    "A11.02.cap": 10_000_000,
    "A12.05.cap.药品注册证": 1_000_000,
    "A12.05.cap.二类医疗器械注册证": 500_000,
    "A12.05.cap.三类医疗器械注册证": 1_000_000,
    "A12.05.yearly_cap": 10_000_000,
}
"""In the end the scripts' own numbers: laid out by name so that a what-if can hand in others."""
