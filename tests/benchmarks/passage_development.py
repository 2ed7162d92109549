"""Questions for choosing how passages are searched: none of them measures the search.

Written from knowledge of the two books, before any of them was searched for, and different from
those of `tests.benchmarks.passage_questions`. Weights are chosen here, and judged there.
"""

from tests.benchmarks.passage_questions import ALICE, WHALE, Question

QUESTIONS = (
    Question(
        ALICE,
        "What did Alice take from a shelf while she was falling down the hole?",
        ("ORANGE MARMALADE",),
    ),
    Question(
        ALICE,
        "What did the little golden key open?",
        ("a little door about fifteen inches high", "much larger than a rat-hole"),
    ),
    Question(
        ALICE,
        "What did it say on the cake that Alice found under the table?",
        ("beautifully marked in currants",),
    ),
    Question(
        ALICE,
        "Where did the salt water come from in which Alice nearly drowned?",
        ("pool of tears which she had wept", "a large pool all round her"),
    ),
    Question(
        ALICE,
        "Why is the Mouse so afraid of cats?",
        ("Our family always", "YOU like cats if you were me", "I’ll tell you my history"),
    ),
    Question(
        ALICE,
        "Whom does the White Rabbit take Alice for?",
        ("He took me for his housemaid", "Why, Mary Ann, what ARE you doing"),
    ),
    Question(
        ALICE,
        "Who was sent down the chimney, and what became of him?",
        ("There goes Bill!",),
    ),
    Question(
        ALICE,
        "How did Alice get away from the enormous puppy?",
        ("till the puppy’s bark sounded quite faint",),
    ),
    Question(
        ALICE,
        "What was the Caterpillar doing when Alice first saw it?",
        ("quietly smoking a long hookah",),
    ),
    Question(
        ALICE,
        "Why did the Pigeon think that Alice was a serpent?",
        ("with such a neck as that",),
    ),
    Question(
        ALICE,
        "Why was everybody sneezing in the kitchen?",
        ("too much pepper in that soup", "certainly too much of it in the air"),
    ),
    Question(
        ALICE,
        "What did the cook throw at the Duchess and the baby?",
        ("the fire-irons came first",),
    ),
    Question(
        ALICE,
        "What riddle does the Hatter ask?",
        ("Why is a raven like a writing-desk",),
    ),
    Question(
        ALICE,
        "What was put into the Hatter's watch although it was not good for it?",
        ("suit the works", "It was the BEST butter"),
    ),
    Question(
        ALICE,
        "Which sisters lived at the bottom of a well, in the Dormouse's story?",
        ("Elsie, Lacie, and Tillie",),
    ),
    Question(
        ALICE,
        "Why could the executioner not behead the Cheshire Cat?",
        ("unless there was a body to cut it off from",),
    ),
    Question(
        ALICE,
        "Which dance takes place by the sea with whitings and snails?",
        ("Will you walk a little faster", "What sort of a dance is it"),
    ),
    Question(
        ALICE,
        "What does the Duchess think everything has, if only you can find it?",
        ("Everything’s got a moral",),
    ),
    Question(
        ALICE,
        "Of what is the Knave of Hearts accused?",
        ("he stole those tarts",),
    ),
    Question(
        ALICE,
        "What were the jurors writing down before the trial had begun?",
        ("They’re putting down their names",),
    ),
    Question(
        ALICE,
        "Why did the King tell Alice to leave the court?",
        ("ALL PERSONS MORE THAN A MILE HIGH",),
    ),
    Question(
        ALICE,
        "What did Alice's sister do when Alice had run off to tea?",
        ("her sister sat still just as she left her",),
    ),
    Question(
        WHALE,
        "What was the dark old painting in the inn like?",
        ("so thoroughly besmoked",),
    ),
    Question(
        WHALE,
        "How did Ishmael find himself lying when he woke up beside the cannibal?",
        ("arm thrown over me",),
    ),
    Question(
        WHALE,
        "What is the sermon in the Whaleman's Chapel about?",
        ("great fish to swallow up Jonah", "the book of Jonah"),
    ),
    Question(
        WHALE,
        "How was the bumpkin saved who fell off the schooner to Nantucket?",
        ("long living arc of a leap", "The poor bumpkin was restored"),
    ),
    Question(
        WHALE,
        "What did Mrs. Hussey serve for supper at the Try Pots?",
        ("Clam or Cod", "smoking chowder"),
    ),
    Question(
        WHALE,
        "What share of the profits was Ishmael promised when he signed on?",
        ("seven hundred and seventy-seventh", "three hundredth lay"),
    ),
    Question(
        WHALE,
        "What kind of men does Starbuck want in his boat?",
        ("who is not afraid of a whale",),
    ),
    Question(
        WHALE,
        "What does Stubb always have in his mouth?",
        ("black little pipe",),
    ),
    Question(
        WHALE,
        "What is Ahab's wooden leg really made of?",
        ("polished bone of the sperm",),
    ),
    Question(
        WHALE,
        "Why did Ahab throw his pipe into the sea?",
        ("still lighted pipe into the sea",),
    ),
    Question(
        WHALE,
        "What did the second mate dream about being kicked?",
        ("Such a queer dream",),
    ),
    Question(
        WHALE,
        "Into what classes does Ishmael divide whales?",
        ("three primary BOOKS",),
    ),
    Question(
        WHALE,
        "Why did the colour of Moby Dick frighten Ishmael more than anything else?",
        ("above all things appalled me",),
    ),
    Question(
        WHALE,
        "Who were the strange rowers that suddenly appeared around Ahab?",
        ("five dusky phantoms",),
    ),
    Question(
        WHALE,
        "What was seen spouting far away in the moonlight night after night?",
        ("looked celestial", "silvery jet"),
    ),
    Question(
        WHALE,
        "What did the giant squid look like?",
        ("vast pulpy mass",),
    ),
    Question(
        WHALE,
        "How did Stubb want his whale steak to be cooked?",
        ("rather overdone",),
    ),
    Question(
        WHALE,
        "What did the old black cook preach to the sharks?",
        ("fellow-critters", "Fellow-critters"),
    ),
    Question(
        WHALE,
        "Who rescued Tashtego when he had fallen into the head of the whale?",
        ("great skill in obstetrics", "head-foremost down into this great Tun"),
    ),
    Question(
        WHALE,
        "Upon what do right whales feed in the yellow meadows of the sea?",
        ("meadows of brit",),
    ),
    Question(
        WHALE,
        "Why was Ishmael tied to Queequeg with a rope?",
        ("merged in a joint stock company", "Siamese ligature"),
    ),
    Question(
        WHALE,
        "What was it like to squeeze the lumps of sperm with the other men?",
        ("Squeeze! squeeze! squeeze!",),
    ),
    Question(
        WHALE,
        "What does Pip say when he looks at the gold coin?",
        ("I look, you look, he looks",),
    ),
    Question(
        WHALE,
        "How did the captain of the Samuel Enderby lose his arm?",
        ("caught me here",),
    ),
    Question(
        WHALE,
        "In what did Ahab temper the barbs of his new harpoon?",
        ("Ego non baptizo te",),
    ),
    Question(
        WHALE,
        "What burned on the tips of the masts during the typhoon?",
        ("corpusants",),
    ),
    Question(
        WHALE,
        "What was wrong with the compass after the thunderstorm?",
        ("turned our compasses", "compasses pointed East"),
    ),
    Question(
        WHALE,
        "What prophecy did the Parsee make about the death of Ahab?",
        ("Hemp only can kill thee",),
    ),
    Question(
        WHALE,
        "Did Starbuck think of shooting Ahab while he slept?",
        ("shall this crazed old man", "the loaded musket"),
    ),
    Question(
        WHALE,
        "What did Ahab tell Starbuck about the girl he married past fifty?",
        ("rather a widow with her husband alive",),
    ),
    Question(
        WHALE,
        "How does Ahab die?",
        ("caught him round the neck",),
    ),
    Question(
        WHALE,
        "What went down together with the sinking ship, nailed to the mast by Tashtego?",
        ("with archangelic shrieks",),
    ),
    Question(
        WHALE,
        "Why was the crew of the Bachelor so merry?",
        ("full ship and homeward-bound", "had met with the most surprising success"),
    ),
    Question(
        WHALE,
        "What did the carpenter turn Queequeg's coffin into?",
        ("life-buoy of a coffin",),
    ),
    Question(
        WHALE,
        "Will whales be hunted until there are none left?",
        ("immortal in his species",),
    ),
    Question(
        WHALE,
        "Where did Ishmael write down the measurements of the whale's skeleton?",
        ("copied verbatim from my right arm",),
    ),
    Question(
        WHALE,
        "Why would the captain of the Jeroboam not come on board?",
        ("malignant epidemic",),
    ),
    Question(
        WHALE,
        "Who was the mad prophet among the crew of the Jeroboam?",
        ("archangel Gabriel",),
    ),
    Question(
        WHALE,
        "How did Stubb trick the French captain out of his stinking whale?",
        ("cut loose from these fish",),
    ),
    Question(
        WHALE,
        "Where on the ship are the furnaces for boiling the blubber?",
        ("planted between the foremast and mainmast",),
    ),
    Question(
        WHALE,
        "What happened to Ishmael when he fell asleep while steering the ship at night?",
        ("smote my side",),
    ),
    Question(
        WHALE,
        "Who was the ragged stranger on the wharf that warned them against Ahab?",
        ("ragged Elijah", "“Elijah.”"),
    ),
)
