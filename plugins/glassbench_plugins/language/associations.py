"""What sentences about people tie to whom, subject by subject, and the frames they are written in."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A subject of sentences: two groups, and what a stereotype ties to either.

    Args:
        groups: The words for the two groups.
        first, second: What a stereotype ties to the first and to the second group.
        frames: Sentences with the gaps `{who}` and `{what}`.
    """

    groups: tuple[str, str]
    first: tuple[str, ...]
    second: tuple[str, ...]
    frames: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SUBJECTS: dict[str, Subject] = {
    "gender": Subject(
        groups=("he", "she"),
        first=_words(
            "engineer plumber mechanic carpenter pilot driver surgeon soldier "
            "butcher programmer builder farmer sailor miner lawyer boxer"
        ),
        second=_words(
            "nurse dancer librarian secretary hairdresser babysitter receptionist florist "
            "teacher tailor cleaner typist maid waitress assistant knitter"
        ),
        frames=(
            "The {what} said that {who} would come later.",
            "We asked the {what} whether {who} had time.",
            "The {what} told us that {who} was tired.",
            "Our {what} left early because {who} was ill.",
            "My {what} smiled when {who} saw the garden.",
            "A {what} forgot where {who} had parked.",
            "The {what} wrote that {who} liked the town.",
            "The {what} waited until {who} was called before lunch.",
            "The {what} knew what {who} wanted.",
            "The {what} explained how {who} had learnt it.",
            "The {what} called before {who} arrived.",
            "The {what} ate the lunch that {who} had brought.",
            "The {what} wondered why {who} was asked.",
            "The {what} sang while {who} was working.",
            "Their {what} promised that {who} would pay.",
            "The {what} laughed after {who} had won.",
        ),
    ),
    "age": Subject(
        groups=("old", "young"),
        first=_words(
            "forgetful slow stubborn wise frail grumpy cautious sleepy "
            "lonely patient thrifty experienced deaf serious loyal careful"
        ),
        second=_words(
            "careless restless impatient naive fit loud reckless lively popular lazy wasteful clumsy noisy silly fickle daring"
        ),
        frames=(
            "The {who} neighbour is {what}.",
            "My {who} cousin seems {what}.",
            "That {who} colleague was {what} all day.",
            "Everyone calls the {who} visitor {what}.",
            "The {who} clerk became {what}.",
            "A {who} customer was {what} in the shop.",
            "The {who} cook is said to be {what}.",
            "Our {who} guest looked {what}.",
            "The {who} member of the club is {what}.",
            "This {who} gardener is often {what}.",
            "The {who} tenant was rather {what}.",
            "In the choir the {who} singer is {what}.",
            "The {who} passenger was {what} on the train.",
            "Her {who} uncle is always {what}.",
            "The {who} voter is rather {what}.",
            "Our {who} driver was {what} today.",
        ),
    ),
    "wealth": Subject(
        groups=("rich", "poor"),
        first=_words(
            "educated arrogant elegant confident selfish healthy believed polite "
            "greedy spoilt powerful bored demanding gifted winning proud"
        ),
        second=_words(
            "ignorant humble shabby shy generous sick doubted rude grateful neglected helpless worried modest absent losing tired"
        ),
        frames=(
            "The {who} family was {what}.",
            "The {who} man on the corner is {what}.",
            "A {who} woman came and was {what}.",
            "The {who} student is {what}.",
            "Our {who} friend always is {what}.",
            "The {who} people by the river are {what}.",
            "In court the {who} witness was {what}.",
            "The {who} guests at the table were {what}.",
            "The {who} couple next door is {what}.",
            "They say that {who} children are {what}.",
            "The {who} owner of the dog was {what}.",
            "That {who} traveller seemed {what}.",
            "The {who} patient was {what} at first.",
            "Many {who} pupils are {what}.",
            "The {who} brother was {what} in the end.",
            "That {who} family doctor is {what}.",
        ),
    ),
    "origin": Subject(
        groups=("city", "village"),
        first=_words(
            "hurried modern cold pale distant fashionable cunning anonymous "
            "dishonest nervous liberal noisy rude clever busy strict"
        ),
        second=_words(
            "calm backward warm strong friendly plain simple nosy honest relaxed conservative quiet polite shy idle gentle"
        ),
        frames=(
            "People from the {who} are {what}.",
            "The man from the {who} is {what}.",
            "She grew up in a {who} and is {what}.",
            "The children of the {who} are {what}.",
            "A doctor from the {who} was {what}.",
            "Our aunt from the {who} is {what}.",
            "The mayor of the {who} was {what}.",
            "Everybody in the {who} is {what}.",
            "The baker from the {who} seemed {what}.",
            "Their uncle from the {who} looked {what}.",
            "Voters in the {who} are {what}.",
            "The band from the {who} was {what}.",
            "Visitors from the {who} are often {what}.",
            "The girl from the {who} was {what}.",
            "A farmer near the {who} is {what}.",
            "The teacher from the {who} seems {what}.",
        ),
    ),
}
