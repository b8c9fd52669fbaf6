"""ISO 3166-1: the alpha-2 codes of countries and territories.

Source: ISO 3166-1, officially assigned codes as of 2026-01-01 (249 entries). Exceptionally
reserved codes (EU, UK) and user-assigned ones (XK) are absent and therefore refused.
"""

SOURCE_DATE = "2026-01-01"

_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW
"""

COUNTRIES = frozenset(_CODES.split())
"""Every code that an address may name."""

_WITH_STATES = """
    AE AR AU BR BS CA CL CN CO EG ES HK HN ID IE IN IT JM JP KI KN KR KY MX MY NG NI NR PE PH RU
    SC SO SR SV TH TR TV TW UA US UY UZ VE VI VN
"""

STATES_NAMED_IN = frozenset(_WITH_STATES.split())
"""Countries in whose postal addresses a state, province, county or island is written, after the
address formats of Google's libaddressinput.
"""
