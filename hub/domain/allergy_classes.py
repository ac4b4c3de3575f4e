"""Classes of drugs that share an allergy, with their members, and which classes react with which.

Members are Latin stems of international names (WHO INN stem book) and are compared by sound, so that each holds for the Russian
name too. ATC prefixes are facts of the WHO index. Cross-reactions are those that the drugs' own labels warn of.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AllergyClass:
    """One class: its names, ATC prefixes, `words` that name the class, short words that count only whole, members, trade names."""

    name: str
    russian: str
    atc: tuple[str, ...]
    words: tuple[str, ...]
    whole_words: tuple[str, ...]
    members: tuple[str, ...]
    trade_names: tuple[str, ...] = ()


def _class(
    name: str, russian: str, atc: str, words: str, members: str, trade_names: str = "", whole_words: str = ""
) -> AllergyClass:
    return AllergyClass(
        name, russian, tuple(atc.split()), tuple(words.split()), tuple(whole_words.split()), tuple(members.split()), tuple(trade_names.split())
    )


CLASSES: tuple[AllergyClass, ...] = (
    _class(
        "penicillins", "пенициллины", "J01C", "penicillin пеницилл",
        "amoxicill ampicill benzylpenicill phenoxymethylpenicill benzathin oxacill dicloxacill flucloxacill cloxacill nafcill piperacill ticarcill "
        "carbenicill methicill azlocill mezlocill sultamicill bacampicill pivmecillin temocill бициллин",
        "augmentin amoxiclav amoxil flemoxin флемоклав unasyn zosyn tazocin бициллин экстенциллин ретарпен амоксиклав аугментин", "pcn pcns pen pens пнц",
    ),
    _class(
        "cephalosporins", "цефалоспорины", "J01DB J01DC J01DD J01DE J01DI", "cephalosporin cefalosporin",
        "cefazol cefalex cephalex cefurox cefotax ceftriax ceftaz cefoperaz cefepim cefixim cefaclor cefadrox cefditor cefoxit cefotet ceftarol "
        "cefpodox cefproz cefdin ceftibut ceftoloz cefideroc cefradin cephradin cefpirom cefalotin cephalotin ceftobiprol",
        "rocephin роцефин keflex ancef fortum фортум клафоран claforan зинацеф zinnat зиннат супракс suprax сульперазон maxipime",
    ),
    _class("carbapenems", "карбапенемы", "J01DH", "carbapenem", "meropenem imipenem ertapenem doripenem", "тиенам tienam меронем invanz"),
    _class("monobactams", "монобактамы", "J01DF", "monobactam", "aztreonam", "azactam"),
    _class(
        "sulfonamide antibacterials", "сульфаниламиды", "J01E S01AB", "sulfonamid sulphonamid sulfanilamid",
        "sulfamethox sulfameth sulfadiaz sulfadim sulfasal sulfacetamid sulfacarbamid sulfalen sulfathiaz phthalylsulfathiazol cotrimoxaz trimoxaz",
        "bactrim бактрим biseptol бисептол septra септрин бисептин сульфален сульгин фталазол альбуцид салазопирин azulfidine", "sulfa сульфа smx tmp",
    ),
    _class(
        "sulfonamides without antibacterial effect", "несульфаниламидные сульфонамиды (диуретики, сульфонилмочевина, коксибы)", "C03A C03BA C03CA A10BB",
        "thiazid sulfonylure сульфонилмочевин",
        "furosemid torasemid torsemid bumetanid hydrochlorothiazid chlorothiazid chlorthalid chlortalid indapamid metolaz acetazolam gliclaz glibencl "
        "glyburid glimepir glipiz celecox",
        "lasix лазикс diuver диувер diabeton диабетон арифон maninil манинил amaryl амарил celebrex",
    ),
    _class(
        "non-steroidal anti-inflammatory drugs", "нестероидные противовоспалительные средства", "M01A N02BA B01AC06",
        "противовоспалительн nonsteroid нестероидн salicylat acetylsalicyl",
        "aspirin ibuprof ketoprof dexketoprof naprox diclofen indometh indomet ketorol meloxic piroxic tenoxic lornoxic nimesulid aceclofen "
        "etodol nabumet celecox etoricox parecox flurbiprof mefenam sulind salsalat diflunis",
        "nurofen нурофен voltaren вольтарен ortofen ортофен advil motrin кетонал кеторол кетанов toradol найз нимесил мовалис ксефокам "
        "cardiomagnyl кардиомагнил тромбо ecotrin excedrin",
        "nsaid nsaids нпвс нпвп аск asa",
    ),
    _class("pyrazolones", "пиразолоны", "N02BB", "pyrazolon пиразолон", "metamiz dipyron phenazon aminophenazon phenylbutaz propyphenaz", "analgin анальгин баралгин темпалгин пенталгин"),
    _class("paracetamol", "парацетамол", "N02BE01", "", "paracetam acetaminoph", "tylenol панадол эффералган перфалган percocet", "apap"),
    _class(
        "opioids", "опиоиды", "N02A", "opioid opiate опиоид опиат",
        "morphin codein hydrocod oxycod oxymorph hydromorph fentan sufentan remifentan alfentan tramad tapentad methadon meperid pethid "
        "buprenorph butorphan nalbuph trimeperid diamorph heroin",
        "dilaudid percocet vicodin oxycontin трамал промедол омнопон дюрогезик",
    ),
    _class(
        "iodinated contrast media", "йодсодержащие рентгеноконтрастные средства", "V08A", "contrast contrastn рентгеноконтраст рентгенконтраст контраст",
        "iohex ioprom iopamid iodixan ioversol iomepr iobitrid amidotriz diatriz ioxagl ioxitalam",
        "omnipaque омнипак ultravist ультравист visipaque визипак urografin урографин isovue optiray оптирей verografin",
    ),
    _class("iodine", "йод и препараты йода", "D08AG", "iodin iodid йода йоду йодом йодист йодсодерж", "amiodar", "betadine бетадин кордарон cordarone lugol люголь йодомарин", "йод iod"),
    _class("local anaesthetics (esters)", "местные анестетики группы эфиров", "N01BA", "", "procain chloroprocain tetracain benzocain cocain novocain", "новокаин дикаин анестезин"),
    _class(
        "local anaesthetics (amides)", "местные анестетики группы амидов", "N01BB", "", "lidocain lignocain bupivacain levobupivacain ropivacain mepivacain articain prilocain trimecain",
        "xylocaine marcaine маркаин наропин ультракаин убистезин тримекаин emla",
    ),
    _class(
        "statins", "статины", "C10AA", "statin статин",
        "atorvastat simvastat rosuvastat pravastat fluvastat lovastat pitavastat", "lipitor липримар крестор crestor zocor вазилип",
    ),
    _class(
        "quinolones", "хинолоны и фторхинолоны", "J01M", "quinolon fluoroquinolon хинолон фторхинолон",
        "ciproflox levoflox moxiflox oflox norflox peflox lomeflox gemiflox nalidix", "cipro ципролет ципринол таваник tavanic avelox",
    ),
    _class("macrolides", "макролиды", "J01FA", "macrolid", "erythromycin azithromycin clarithromycin roxithromycin josamycin spiramycin midecamycin", "sumamed сумамед zithromax клацид biaxin вильпрафен"),
    _class("lincosamides", "линкозамиды", "J01FF", "lincosamid", "clindamycin lincomycin", "далацин cleocin"),
    _class("tetracyclines", "тетрациклины", "J01A", "tetracyclin", "doxycycl minocycl tigecycl oxytetracycl", "unidox юнидокс вибрамицин"),
    _class("aminoglycosides", "аминогликозиды", "J01G", "aminoglycosid", "gentamicin amikacin tobramycin streptomycin neomycin kanamycin netilmicin plazomicin", ""),
    _class("glycopeptides", "гликопептиды", "J01XA", "glycopeptid", "vancomycin teicoplan dalbavancin oritavancin telavancin", ""),
    _class("nitroimidazoles", "нитроимидазолы", "J01XD P01AB", "nitroimidazol", "metronidaz tinidaz ornidaz secnidaz", "flagyl трихопол тиберал"),
    _class("nitrofurans", "нитрофураны", "J01XE", "nitrofuran", "nitrofurant furazid furazolid nifurox nifuroxaz nitrofural furacilin", "фурагин фурамаг фурадонин macrobid фурацилин"),
    _class("azole antifungals", "азолы", "J02AB J02AC", "", "fluconaz itraconaz voriconaz posaconaz ketoconaz isavuconaz clotrimaz miconaz", "diflucan дифлюкан"),
    _class(
        "ACE inhibitors", "ингибиторы АПФ", "C09A C09B", "иапф",
        "enalapr lisinopr captopr ramipr perindopr fosinopr quinapr benazepr trandolapr zofenopr moexipr хинаприл", "энап ренитек престариум капотен", "апф ace",
    ),
    _class("angiotensin receptor blockers", "блокаторы рецепторов ангиотензина", "C09C C09D", "sartan сартан", "losart valsart candesart irbesart telmisart olmesart azilsart eprosart", "лориста diovan entresto"),
    _class("heparins", "гепарины", "B01AB", "", "heparin enoxapar daltepar nadropar bemipar tinzapar", "clexane клексан фраксипарин lovenox fragmin"),
    _class("benzodiazepines", "бензодиазепины", "N05BA N05CD", "benzodiazepin", "diazepam lorazep alprazol clonazep midazol oxazep temazep chlordiazep nitrazep phenazepam", "реланиум ativan xanax феназепам"),
    _class("barbiturates", "барбитураты", "N03AA N05CA", "barbiturat", "phenobarbit thiopent primidon butalbit", "корвалол валокордин"),
    _class("aromatic anticonvulsants", "ароматические противосудорожные средства", "N03AB N03AF", "", "phenyto fosphenyt carbamaz oxcarbaz eslicarb lamotrig phenobarbit zonisam", "dilantin tegretol финлепсин"),
    _class("phenothiazines", "фенотиазины", "N05AA N05AB", "phenothiazin", "chlorpromaz promethaz prochlorperaz fluphenaz perphenaz thioridaz levomepromaz", "аминазин phenergan compazine"),
    _class("beta blockers", "бета-адреноблокаторы", "C07A", "адреноблокатор betadrenoblok betablok betadrenerg", "metoprol bisoprol atenol propranol carvedil nebivol labetal sotal nadol esmol timol", "эгилок конкор беталок"),
    _class("dihydropyridines", "дигидропиридины", "C08CA", "dihydropyridin", "amlodip nifedip felodip lercanidip nicardip nimodip isradip", "норваск"),
    _class("proton pump inhibitors", "ингибиторы протонной помпы", "A02BC", "", "omepraz esomepraz pantopraz lansopraz rabepraz dexlansopraz", "омез контролок nexium protonix prilosec нольпаза"),
    _class("insulins", "инсулины", "A10A", "", "insulin", "lantus лантус актрапид humulin хумулин novolog humalog"),
    _class(
        "antibiotics", "антибиотики", "J01XX J01B J04AB", "antibiotic антибиотик antibacterial антибактериальн противомикробн",
        "linezolid tedizolid fosfomycin rifampicin rifampin rifaximin colistin polymyxin chloramphenicol левомицетин fusidic daptomycin",
    ),
    _class("B vitamins", "витамины группы B", "A11D", "", "thiamin pyridox cyanocobalam benfotiam", "мильгамма комбилипен"),
)  # fmt: skip

# "Antibiotics" alone means every class of them; beside the name of a class it only says what that is.
ANY_ANTIBIOTIC = "antibiotics"
ANTIBIOTICS = frozenset({
    "penicillins", "cephalosporins", "carbapenems", "monobactams", "sulfonamide antibacterials", "quinolones", "macrolides", "lincosamides",
    "tetracyclines", "aminoglycosides", "glycopeptides", "nitroimidazoles", "nitrofurans",
})  # fmt: skip

UMBRELLAS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("anaesthetic", "anesthetic", "анестетик"), ("local anaesthetics (esters)", "local anaesthetics (amides)")),
    (("betalactam", "lactam", "лактам"), ("penicillins", "cephalosporins", "carbapenems", "monobactams")),
)

CROSS_REACTIONS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("penicillins", "cephalosporins"),
        ("penicillins", "carbapenems"),
        ("cephalosporins", "carbapenems"),
        ("cephalosporins", "monobactams"),
        ("sulfonamide antibacterials", "sulfonamides without antibacterial effect"),
        ("non-steroidal anti-inflammatory drugs", "pyrazolones"),
        ("iodinated contrast media", "iodine"),
        ("local anaesthetics (esters)", "local anaesthetics (amides)"),
        ("local anaesthetics (esters)", "sulfonamide antibacterials"),
        ("ACE inhibitors", "angiotensin receptor blockers"),
        ("macrolides", "lincosamides"),
        ("aromatic anticonvulsants", "barbiturates"),
        ("nitroimidazoles", "azole antifungals"),
    )
)
