"""What columns are called: quantities in many languages, and units with their size.

Words are written as `plain` makes them: small letters, no accents. A test reads these tables.
"""

from __future__ import annotations

import re
import unicodedata

KG, LB = 9.80665, 4.4482216152605
COUNTS = "counts"

FORCE_UNITS = {
    "N": 1.0, "kN": 1e3, "mN": 1e-3, "kg": KG, "kgf": KG, "kp": KG, "g": KG / 1e3, "gf": KG / 1e3,
    "t": KG * 1e3, "lb": LB, "lbf": LB, "oz": LB / 16, "stone": 14 * LB, "daN": 10.0, "cN": 1e-2,
    COUNTS: 1.0,
}  # fmt: skip
"""Newtons in one; counts are of a sensor whose scale nobody knows."""
FORCE_SPELLINGS = {
    "N": ("N", "n", "newton", "newtons", "newtony", "нютон", "ньютон", "н", "Н", "牛",
          "牛顿", "牛頓", "ニュートン", "뉴턴"),
    "kN": ("kN", "KN", "kn", "kilonewton", "kilonewtons", "кН", "кн", "千牛"),
    "mN": ("mN", "millinewton", "millinewtons"),
    "kg": ("kg", "Kg", "KG", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm",
           "kilogramme", "kilogrammes", "kilogramos", "kilogramas", "kilogramo", "kilogrammi",
           "chilogrammo", "chilogrammi", "quilo", "quilos", "quilograma", "quilogramas", "кг",
           "公斤", "千克", "キログラム", "킬로그램"),
    "kgf": ("kgf", "kgF", "KGF", "Kgf", "kilogramforce", "kilogramsforce", "кгс"),
    "kp": ("kp", "kilopond"),
    "g": ("g", "gr", "gram", "grams", "gramm", "gramme", "grammes", "gramos", "г", "克"),
    "gf": ("gf", "gramforce"),
    "t": ("tf", "tonne", "tonnes", "tonneforce", "тс"),
    "lb": ("lb", "lbs", "Lb", "Lbs", "LB", "LBS", "pound", "pounds", "libra", "libras",
           "livres", "磅"),
    "lbf": ("lbf", "Lbf", "LBF", "lbsf", "poundforce", "poundsforce"),
    "oz": ("oz", "ozf", "ounce", "ounces"),
    "stone": ("stone", "stones"),
    "daN": ("daN",),
    "cN": ("cN",),
    COUNTS: ("counts", "count", "raw", "adc", "ADC", "lsb", "LSB", "digits", "ticks"),
}  # fmt: skip
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in one."""
TIME_SPELLINGS = {
    "s": ("s", "S", "sec", "secs", "Sec", "second", "seconds", "sek", "sekunden", "segundos",
          "secondes", "secondi", "sekunder", "seconden", "sn", "saniye", "сек", "с", "秒", "ث"),
    "ms": ("ms", "mS", "MS", "Ms", "msec", "msecs", "milli", "millis", "millisecond",
           "milliseconds", "millisekunden", "milisegundos", "millisecondes", "мс", "毫秒",
           "ミリ秒"),
    "us": ("us", "uS", "µs", "μs", "usec", "micros", "microsec", "microsecond", "microseconds",
           "mikrosekunden", "мкс", "微秒"),
    "ns": ("ns", "nsec", "nanos", "nanosecond", "nanoseconds"),
    "min": ("min", "mins", "minute", "minutes", "minuten", "minutos"),
    "h": ("h", "hr", "hrs", "hour", "hours", "stunden"),
    "d": ("day", "days"),
}  # fmt: skip

FORCES = {
    "N": (
        "force forces kraft kraefte fuerza forca forza forta kracht voima sila sily ero kuvvet "
        "krefter krafter newton newtons f fz fy fx fn grf vgrf "
        "pull zug zugkraft traction tension tensile "
        "handkraft gripforce сила усилие δυναμη 力 拉力 推力 荷重 張力 力量 힘 장력 gaya luc kuc "
        "joud speks jega indarra kraftur כוח قوة القوة बल แรง"
    ),
    "load": (
        "load loads loadcell last carga charge carico belastung belasting lastzelle kuorma yuk "
        "zatizeni obciazenie incarcare terheles нагрузка φορτιο 負荷 载荷 负荷 负载 하중 beban"
    ),
    "kg": (
        "weight weights mass masse massa masa vikt gewicht peso pesos poids paino waga ciezar vaha "
        "hmotnost tezina suly tomeg agirlik kutle vaegt vaekt vekt вес масса βαρος 重量 重さ 质量 "
        "体重 무게 중량 berat trong greutate kilos "
        "kaal svars svoris pisua thyngd משקל وزن الوزن वजन น้ำหนัก"
    ),
    "sensor": (
        "dyno dynamometer dynamometro scale waage bascula balance grip hx711 cell strain gauge "
        "strainguage sensor reading value state measurement messwert wert valor valeur varde"
    ),
}  # fmt: skip
"""Words by the unit that they mean where none is said. `load` is said in any, `sensor` in none."""
COMPOUNDS = ("kraft", "kracht", "voima", "force")
TIMES = (
    "time times timestamp timestamps t ts elapsed datetime clock epoch unix unixtime timecode "
    "zeit uhrzeit zeitstempel zeitpunkt tiempo hora temps heure horodatage tempo ora tid tidpunkt "
    "tidsstampel tidsstempel klokkeslett tijd tijdstip aika czas cas ido ido zaman sure vreme "
    "vrijeme timp время час χρονος 时间 時間 時刻 时刻 시간 시각 waktu thoi "
    "aeg laiks laikas denbora timi време זמן زمن الزمن الوقت وقت समय เวลา x received recorded "
    "last_changed"
)
DATES = "date datum fecha data dato pvm datum дата 日期 日付 날짜 tanggal day tag"
_OTHER_UNITS = (
    "V mV/V mV µV uV Hz kHz m mm cm in deg rad % W kW J Nm N·m N*m Nmm m/s mm/s m/s² m/s^2 °C °F "
    "C A mA kPa Pa bar psi MPa bpm rpm N/s"
)
OTHER_UNITS = frozenset(_OTHER_UNITS.split())
"""In brackets, these say that a column is something else."""
OTHERS = (
    "acc accel acceleration accelerometer ax ay az gyro gx gy gz mag imu angle angulo winkel pitch "
    "roll yaw temp temperature temperatur battery batt batterie bat voltage volt volts volt_v v "
    "velocity speed geschwindigkeit velocidad vitesse position pos weg strecke distance distanz "
    "displacement extension elongation length stroke path power leistung potencia puissance torque "
    "moment mx my mz drehmoment cop copx copy pressure druck hr heart pulse bpm energy work arbeit "
    "rate rfd slope stress humidity status id index idx sample samples "
    "nr no num number count cycle rep reps set sets step trial frame phase trigger marker event "
    "lat lon altitude height age emg"
)
"""Columns that are neither, whatever else their names say."""
SUMMARIES = (
    "max min mean avg average peak total sum std sd median count maximum minimum mittel mittelwert "
    "summe moyenne media promedio medel maks maximo minimo duration end stop samples rms "
    "overall result results summary statistics"
)
"""Lines that begin with one of these sum up; columns named so are no signal of their own."""
DERIVED = (
    "peak max min mean avg average target goal limit threshold setpoint rfd std sd ref tare zero "
    "offset error bias baseline rms soll ziel body bodyweight maximalkraft maxkraft spitzenkraft "
    "sollkraft zielkraft peakforce maxforce meanforce targetforce"
)
UNITS = "unit units einheit unidad unite unita enhet eenheid jednostka yksikko единица 单位 単位"
PROCESSED = "raw filtered filt unfiltered smoothed smooth lpf lowpass filter roh gefiltert"
TOGETHER = "total sum combined resultant both gesamt summe net overall totale somme fres"
LEFT = "left l links izquierda izq gauche sinistra vanster venstre a lewa vasen слева 左"
RIGHT = "right r rechts derecha der droite destra hoger hoejre b prawa oikea справа 右"


def plain(text: str) -> str:
    """Small letters without accents: `Größe` is `grosse`, `Ängelholm (µ)` is `angelholm (μ)`."""
    text = text.replace("æ", "ae").replace("Æ", "ae").replace("ø", "o").replace("Ø", "o")
    text = text.replace("ł", "l").replace("Ł", "l").replace("ı", "i")
    signs = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(plain(text).split())


FORCE_WORDS = {word: unit for unit, text in FORCES.items() for word in _vocabulary(text)}
TIME_WORDS, DATE_WORDS = _vocabulary(TIMES), _vocabulary(DATES)
OTHER_WORDS, SUMMARY_WORDS = _vocabulary(OTHERS), _vocabulary(SUMMARIES)
DERIVED_WORDS, PROCESSED_WORDS = _vocabulary(DERIVED), _vocabulary(PROCESSED)
UNIT_WORDS = _vocabulary(UNITS)
TOGETHER_WORDS = _vocabulary(TOGETHER)
LEFT_WORDS, RIGHT_WORDS = _vocabulary(LEFT), _vocabulary(RIGHT)
_ALL_WORDS = (
    FORCE_WORDS.keys() | TIME_WORDS | DATE_WORDS | OTHER_WORDS | SUMMARY_WORDS | DERIVED_WORDS
    | PROCESSED_WORDS | UNIT_WORDS | TOGETHER_WORDS | LEFT_WORDS | RIGHT_WORDS
)  # fmt: skip
_FORCE_BY_SPELLING = {word: unit for unit, words in FORCE_SPELLINGS.items() for word in words}
_TIME_BY_SPELLING = {word: unit for unit, words in TIME_SPELLINGS.items() for word in words}
_RATIO = re.compile(
    r"(?<![^\W\d_])(?:k?N|kgf?|lbf?|lbs)\s*/\s*(?:kg|lbs?|k?N|BW|s|mm?|cm)(?![^\W\d_])", re.I
)
_BRACKETS = re.compile(r"[(\[{<]\s*([^)\]}>]*?)\s*[)\]}>]")


def force_noun(word: str) -> str | None:
    """The unit that a plain word for force means where none is said; None if it is no such word.

    A word that ends in one is one, as languages that join their nouns have it: `seilkraft`.
    """
    if word in _ALL_WORDS:
        return FORCE_WORDS.get(word)
    return "N" if len(word) > 6 and word.endswith(COMPOUNDS) else None


def force_unit(text: str) -> str | None:
    """The unit of force that a text is, as in brackets; None if it is none."""
    return _unit(text, _FORCE_BY_SPELLING)


def time_unit(text: str) -> str | None:
    """The unit of time that a text is; None if it is none."""
    return _unit(text, _TIME_BY_SPELLING)


def _unit(text: str, spellings: dict[str, str]) -> str | None:
    text = text.strip(" .:'\"()[]{}").replace("\N{GREEK SMALL LETTER MU}", "µ")
    joined = re.sub(r"[\s·-]+", "", text)
    for each in (text, plain(text), text.replace("µ", "u"), joined, plain(joined)):
        if each in spellings:
            return spellings[each]
    return None


def bracketed(title: str) -> list[str]:
    """What stands in brackets, or after a stroke or `in`: `Zeit [ms]`, `t/ms`, `Kraft in N`."""
    title = unicodedata.normalize("NFKC", title)
    found = _BRACKETS.findall(title)
    after = re.search(r"(?:[/|,;:]|\bin\b|\bas\b|\ben\b)\s*([^\W\d]+)\s*$", title)
    return [*found, *([after[1]] if after else [])]


def is_ratio(title: str) -> bool:
    """Whether a title names force by something else: `N/kg`, `N/s`."""
    return _RATIO.search(title) is not None


def is_word(text: str) -> bool:
    """Whether all words of a text are such as columns are called, and so no unit."""
    return all(word.isdigit() or plain(word) in _ALL_WORDS for word in tokens(text))


def tokens(title: str) -> list[str]:
    """The words of a title as they are written: `UnixTimestamp_ms` is Unix, Timestamp, ms."""
    out: list[str] = []
    for piece in re.split(r"[\W_]+", title):
        if piece in _FORCE_BY_SPELLING or piece in _TIME_BY_SPELLING:
            out.append(piece)
        else:
            out += [each for word in _camel(piece) for each in _unglued(word)]
    return out


def _unglued(word: str) -> list[str]:
    """`forcekg` is force, kg; any other word is itself."""
    if plain(word) in _ALL_WORDS:
        return [word]
    for cut in range(3, len(word)):
        head, unit = plain(word[:cut]), word[cut:]
        if head in FORCE_WORDS and unit in _FORCE_BY_SPELLING:
            return [word[:cut], unit]
        if head in TIME_WORDS and unit in _TIME_BY_SPELLING:
            return [word[:cut], unit]
    return [word]


def _camel(text: str) -> list[str]:
    """`unixTimestampMS2` is unix, Timestamp, MS, 2, in any alphabet."""
    out: list[str] = []
    for at, sign in enumerate(text):
        before = text[at - 1] if at else ""
        after = text[at + 1] if at + 1 < len(text) else ""
        begins = (
            not before
            or sign.isdigit() != before.isdigit()
            or (sign.isupper() and (before.islower() or (before.isupper() and after.islower())))
        )
        if begins:
            out.append(sign)
        else:
            out[-1] += sign
    return out
