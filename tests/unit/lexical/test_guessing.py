"""The analyser that suits texts is told by their script and their most usual words."""

from __future__ import annotations

import pytest

from twofold.lexical.analysing import ANALYSERS
from twofold.lexical.guessing import Guess, likely_analyser, main_script

# The first article of the Universal Declaration of Human Rights, and parts of the second and third.
TEXTS = {
    "english": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood. Everyone has the right to "
    "life, liberty and the security of person.",
    "german": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen "
    "begabt und sollen einander im Geist der Brüderlichkeit begegnen. Jeder hat das Recht auf Leben, "
    "Freiheit und Sicherheit der Person.",
    "french": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et "
    "de conscience et doivent agir les uns envers les autres dans un esprit de fraternité. Tout individu "
    "a droit à la vie, à la liberté et à la sûreté de sa personne.",
    "spanish": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón "
    "y conciencia, deben comportarse fraternalmente los unos con los otros. Todo individuo tiene derecho "
    "a la vida, a la libertad y a la seguridad de su persona.",
    "italian": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e "
    "di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza. Ogni individuo ha "
    "diritto alla vita, alla libertà ed alla sicurezza della propria persona.",
    "portuguese": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
    "consciência, devem agir uns para com os outros em espírito de fraternidade. Todo o indivíduo tem "
    "direito à vida, à liberdade e à segurança pessoal. Ninguém será mantido em escravatura; a "
    "escravatura e o trato dos escravos, sob todas as formas, são proibidos. O que não é do povo é por "
    "ele.",
    "dutch": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand "
    "en geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen. Een ieder "
    "heeft het recht op leven, vrijheid en onschendbaarheid van zijn persoon.",
    "swedish": "Alla människor är födda fria och lika i värde och rättigheter. De är utrustade med förnuft och "
    "samvete och bör handla gentemot varandra i en anda av broderskap. Var och en har rätt till liv, "
    "frihet och personlig säkerhet.",
    "finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu "
    "järki ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä. Kullakin yksilöllä "
    "on oikeus elämään, vapauteen ja henkilökohtaiseen turvallisuuteen.",
    "turkish": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve "
    "birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler. Yaşamak, hürriyet ve kişi emniyeti "
    "her ferdin hakkıdır. Herkes bu haklardan ve hürriyetlerden istifade edebilir.",
    "russian": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
    "совестью и должны поступать в отношении друг друга в духе братства. Каждый человек имеет право на "
    "жизнь, на свободу и на личную неприкосновенность.",
    "greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا "
    "بروح الإخاء. لكل فرد الحق في الحياة والحرية وسلامة شخصه. من هذا الذي كان في هذه على ما لا من في إلى "
    "أن عن مع",
}
UNSPACED = {
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。UN 1948",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_language_with_a_stemmer_is_told(language: str) -> None:
    assert language in ANALYSERS
    guess = likely_analyser([TEXTS[language]])
    assert (guess.analyser, guess.reason) == (language, f"mostly {language.capitalize()}")


@pytest.mark.parametrize("language", UNSPACED)
def test_scripts_without_spaces_get_n_grams(language: str) -> None:
    assert likely_analyser(["1984", UNSPACED[language]]) == Guess("ngram", f"mostly {language}")


@pytest.mark.parametrize(
    ("texts", "guess"),
    [
        ([], Guess("english")),
        (["42", "!?", ""], Guess("english")),
        (["Ada Lovelace", "Grace Hopper"], Guess("english")),
        (["xq zv kj " * 40], Guess("english")),
        (["Слово"], Guess("russian")),
        (["сажетак плаже књиге човек језик реч " * 10], Guess("plain", "mostly Cyrillic, but not Russian")),
        (["סוף סוף הגיע הזמן לכתוב מילים אחדות"], Guess("plain", "mostly of a script that no stemmer is for")),
        ([TEXTS["english"], "他们"], Guess("english", "mostly English")),
    ],
)
def test_what_cannot_be_told_stays_as_usual(texts: list[str], guess: Guess) -> None:
    assert likely_analyser(texts) == guess


def test_only_the_beginning_is_read() -> None:
    def endless() -> object:
        while True:
            yield TEXTS["german"] * 1_000

    assert likely_analyser(endless()).analyser == "german"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        ([UNSPACED["Japanese"]], "Japanese"),
        ([UNSPACED["Chinese"], "UN"], "Chinese"),
        ([TEXTS["german"]], "Latin"),
        (["סוף סוף"], "Hebrew"),
        (["თბილისი"], "Georgian"),
        (["1984 !?"], ""),
    ],
)
def test_the_script_of_most_letters_is_named(texts: list[str], script: str) -> None:
    assert main_script(texts) == script
