"""What of a text about allergies is understood beyond drugs and classes: food and surroundings, and words that name nothing.

What is left over may be the very drug that is ordered, under a name that nobody here knows: a pharmacist is asked.
"""

import re
from functools import lru_cache

from hub.domain.allergy_words import allergens, tells_of_reaction
from hub.domain.sounds import words_of

_BRACKETED = re.compile(r"\([^()]*(?:\)|$)|\[[^\[\]]*(?:\]|$)")
_BETWEEN = re.compile(r"\s+(?:и|или|and|or)\s+|\s*[/+&]\s*", re.IGNORECASE)
# Beginnings of words: food, plants, animals, stuff of the house and the ward. None is an active substance or a vehicle of a drug.
_BEGINNINGS = (
    "pollen ragweed birch timothy grass mold mould dust dander feather animal horse latex nickel adhesive perfume cosmetic insect "
    "wasp hornet mosquito milk dairy cheese peanut almond walnut hazelnut cashew pistachio fish shellfish seafood shrimp lobster crab "
    "wheat gluten citrus orange lemon strawberr tomato chocolate banana kiwi avocado mango pineapple apple peach sesame celery mustard "
    "seasonal hayfever environmental food pets "
    "пыльц поллиноз амброз берез берёз полын ольх тополин цветен пыль пыли плесен клещ пух перо перья шерст кошк кошек кошач собак собач "
    "животн хомяк лошад латекс никел парфюм косметик насеком пчел пчёл комар молок молоч коров сыр орех арахис миндал фундук рыб "
    "морепродукт креветк краб ракообразн пшениц глютен цитрус апельсин мандарин лимон клубник земляник помидор томат шоколад какао банан "
    "киви авокадо манго ананас яблок персик кунжут сельдере горчиц пищев продукт бытов сезонн домашн"
)
_WHOLE = (
    "cat cats dog dogs hair bee bees nut nuts tree trees weeds egg eggs soy tape wool мед мёд меда мёда оса осы ос соя сои сою яйца яйцо яиц mite mites"
)
_NAMING_NOTHING = (
    "со слов жены мужа матери мамы отца сына дочери родственников пациента пациентки больного больной в на к и или из от по с у при "
    "анамнезе анамнез аллергия аллергии аллергию аллергик аллергический аллергические реакция реакции реакцию непереносимость лекарственная "
    "лекарственной есть имеется тип не указана указан указано неизвестна неизвестно уточняется уточнить детстве году год "
    "allergy allergies allergic reaction reactions to of the a an per patient pt by history hx of severity criticality severe moderate mild "
    "high low unable assess medium drug medication type unknown not documented specified reported confirmed unconfirmed active"
)
_SURROUNDINGS = tuple(_BEGINNINGS.split())
_SURROUNDINGS_WHOLE = frozenset(_WHOLE.split())
_FILLERS = frozenset(_NAMING_NOTHING.split())


@lru_cache(maxsize=8192)
def clauses_to_know(text: str) -> tuple[str, ...]:
    """Return the parts of a told allergy that name something; where none does, the text as a whole: an allergy to nobody knows what."""
    told = allergens(text)
    found = tuple(part for clause in told for part in _BETWEEN.split(_without_brackets(clause)) if _names_something(part))
    return found or ((text,) if any(words_of(part) for part in allergens(_BRACKETED.sub(" ", text))) else ())


def is_of_surroundings(clause: str) -> bool:
    """Tell whether a part names food, a plant, an animal or stuff of the house: plainly no drug."""
    return any(word.startswith(_SURROUNDINGS) or word in _SURROUNDINGS_WHOLE for word in words_of(clause))


def _without_brackets(clause: str) -> str:
    bare = _BRACKETED.sub(" ", clause).strip()
    return bare if words_of(bare) else clause


def _names_something(part: str) -> bool:
    return any(word not in _FILLERS for word in words_of(part)) and not tells_of_reaction(part)
