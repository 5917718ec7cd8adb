"""Names of the people and firms that the demo makes up, in several languages and scripts.

Everybody here is invented. A name in another script comes with the Latin spelling that its owner's
e-mail address uses: ``native=latin``.
"""

from __future__ import annotations

from msgspec import Struct


class Name(Struct, frozen=True):
    """A name as its owner writes it, and in the letters of an e-mail address."""

    native: str
    latin: str


class Country(Struct, frozen=True):
    """Where people come from: their names, cities and phone numbers."""

    label: str
    prefix: str
    """Of phone numbers, with the area: international form, spaced."""
    first: tuple[Name, ...]
    last: tuple[Name, ...]
    cities: tuple[str, ...]


def _names(text: str) -> tuple[Name, ...]:
    pairs = (word.partition("=") for word in text.split())
    return tuple(Name(native, latin or native.lower()) for native, _, latin in pairs)


def _country(label: str, prefix: str, first: str, last: str, cities: str) -> Country:
    return Country(label, prefix, _names(first), _names(last), tuple(cities.split(", ")))


COUNTRIES = (
    _country(
        "Netherlands",
        "+31 20",
        "Sanne Bram Fleur Daan Lotte Joris Maaike Thijs",
        "Verhoeven Hoekstra Brouwer Dijkstra Kuipers Vermeer Schouten Willems",
        "Amsterdam, Utrecht, Groningen",
    ),
    _country(
        "Germany",
        "+49 30",
        "Jürgen=juergen Käthe=kaethe Lukas Mareike Sören=soeren Anneliese Friedrich Heike",
        "Müller=mueller Schäfer=schaefer Weiß=weiss Köhler=koehler Lindner Vogt Brandt Zimmermann",
        "Berlin, München, Leipzig",
    ),
    _country(
        "Poland",
        "+48 22",
        "Zofia Łukasz=lukasz Małgorzata=malgorzata Wojciech Agnieszka Paweł=pawel Kasia Tomasz",
        "Wiśniewska=wisniewska Wójcik=wojcik Kamiński=kaminski Zieliński=zielinski Mazur Nowak"
        " Dąbrowska=dabrowska Krawczyk",
        "Warszawa, Kraków, Łódź",
    ),
    _country(
        "Portugal",
        "+351 21",
        "João=joao Leonor Tiago Conceição=conceicao Rui Beatriz Vasco Marta",
        "Magalhães=magalhaes Araújo=araujo Simões=simoes Teixeira Carvalho Nóbrega=nobrega Lobo",
        "Lisboa, Porto, Évora",
    ),
    _country(
        "Greece",
        "+30 21",
        "Γιώργος=giorgos Ελένη=eleni Δημήτρης=dimitris Κατερίνα=katerina Νίκος=nikos Σοφία=sofia",
        "Παπαδόπουλος=papadopoulos Οικονόμου=oikonomou Δημητρίου=dimitriou Αλεξίου=alexiou"
        " Καραγιάννης=karagiannis",
        "Αθήνα, Θεσσαλονίκη, Πάτρα",
    ),
    _country(
        "Ukraine",
        "+380 44",
        "Олександр=oleksandr Наталія=nataliia Дмитро=dmytro Людмила=ludmyla Юрій=yuri Софія=sofia",
        "Шевчук=shevchuk Ковальчук=kovalchuk Бондаренко=bondarenko Лисенко=lysenko Мельник=melnyk",
        "Київ, Львів, Одеса",
    ),
    _country(
        "Japan",
        "+81 3",
        "花子=hanako 健太=kenta 美咲=misaki 大輔=daisuke 由美子=yumiko 翔太=shota",
        "佐藤=sato 鈴木=suzuki 高橋=takahashi 渡辺=watanabe 伊藤=ito 山本=yamamoto",
        "東京, 大阪, 札幌",
    ),
    _country(
        "Egypt",
        "+20 2",
        "فاطمة=fatma محمود=mahmoud ليلى=layla يوسف=youssef نورهان=nourhan خالد=khaled",
        "المصري=elmasry حداد=haddad الشريف=elsharif سليمان=soliman منصور=mansour",
        "القاهرة, الإسكندرية, الجيزة",
    ),
    _country(
        "India",
        "+91 80",
        "अनिता=anita राजेश=rajesh मीनाक्षी=meenakshi विक्रम=vikram सुनीता=sunita अर्जुन=arjun",
        "शर्मा=sharma पटेल=patel गुप्ता=gupta वर्मा=varma चौधरी=chaudhary",
        "बेंगलुरु, मुंबई, जयपुर",
    ),
    _country(
        "United Kingdom",
        "+44 20",
        "Imogen Alistair Siân=sian Rhys Fiona Callum Niamh Edmund",
        "Ashworth Pemberton O'Connell=oconnell MacLeod=macleod Llewellyn Fairfax Thistle Hughes",
        "London, Cardiff, Leeds",
    ),
)

FIRMS = (
    "Bakkerij Zonnebloem=zonnebloem|Brauhaus Kupferkessel=kupferkessel|Cukiernia Malina=malina|"
    "Tecelagem do Tejo=tecelagem-tejo|Ελαιώνας Αιγαίου=elaionas|Книгарня «Соняшник»=soniashnyk|"
    "株式会社さくら文具=sakura-bungu|مكتبة النيل=nile-books|मसाला भवन=masala-bhavan|"
    "Fairfax & Daughters Ltd=fairfax-daughters|Fietsen van Vermeer=vermeerfietsen|"
    "Möbelwerk Lindner GmbH=moebelwerk-lindner|Szklarnia Wójcik=szklarnia-wojcik|"
    "Cortiça Alentejo, Lda.=cortica-alentejo|Ναυπηγεία Πάτρας=nafpigeia|Гончарня «Глек»=glek|"
    "北の果実農園=kitanokajitsu|قوارب الشريف=nile-boats|जयपुर ब्लॉक प्रिंट=jaipurprint|"
    "Thistlewood Tea Rooms=thistlewoodtea|Drukkerij De Haan=drukkerijdehaan|"
    "Uhren Zimmermann=uhren-zimmermann|Papiernia Krawczyk=papiernia|Quinta do Lobo=quintadolobo|"
    "Κεραμικά Σοφία=keramika-sofia|Пасіка Мельника=pasika|山本染工=yamamoto-dye|"
    "نسيج الإسكندرية=alex-weaving|बेंगलुरु रोबोटिक्स=blr-robotics|Llewellyn Slate=llewellynslate|"
    "Zaagmolen Hoekstra=zaagmolen|Orgelbau Vogt=orgelbau-vogt|Huta Zieliński=huta-zielinski|"
    "Azulejos Simões=azulejos-simoes|Αλεξίου Οπτικά=alexiou-optika|佐藤鍛冶店=sato-kaji|"
    "Лисенко та доньки=lysenko-dochky|حداد للأثاث=haddad-furniture|वर्मा एंड संस=varma-sons|"
    "MacLeod Boats=macleodboats"
)
"""Invented firms and the names of their domains."""

TITLES = (
    "Bookkeeper",
    "Buyer",
    "Chief of staff",
    "Designer",
    "Engineer",
    "Head of sales",
    "Librarian",
    "Owner",
    "Planner",
    "Workshop lead",
)


def firms() -> list[Name]:
    """All firms, by name and domain label."""
    pairs = (firm.partition("=") for firm in FIRMS.split("|"))
    return [Name(native, domain) for native, _, domain in pairs]
