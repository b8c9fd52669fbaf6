"""ISO 4217: the currencies that exist and how many decimals their minor unit has.

Source: ISO 4217 list one (current currency and funds codes), maintained by SIX on behalf of
ISO, as of 2026-01-01, without funds codes, precious metals and testing codes. Currencies
withdrawn by then (HRK, BGN, ANG, SLL, STD, CUC, ZWL) and codes that ISO does not list (CNH)
are absent and therefore refused. A payment provider's own exceptions live in its adapter, not
here.
"""

from collections.abc import Mapping
from types import MappingProxyType

SOURCE_DATE = "2026-01-01"

_NO_DECIMALS = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
"""

_THREE_DECIMALS = """
    BHD IQD JOD KWD LYD OMR TND
"""

_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP
    LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
    NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST
    XCD XCG YER ZAR ZMW ZWG
"""

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {
        code: decimals
        for decimals, codes in ((0, _NO_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS))
        for code in codes.split()
    }
)
"""Currency code -> number of decimals of its minor unit."""
