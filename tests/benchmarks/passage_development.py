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
    Question(
        WHALE,
        "What kind of wooden figure does the Pequod use as its tiller?",
        ("lower jaw of her hereditary foe",),
    ),
    Question(
        WHALE,
        "How did Queequeg shave himself at the inn?",
        ("lathering", "harpoon from the bed corner"),
    ),
    Question(
        WHALE,
        "How does Queequeg help himself to beefsteaks at breakfast?",
        ("grappling the beefsteaks",),
    ),
    Question(
        WHALE, "What do the marble tablets in the chapel remember?", ("Captain Pollard", "SACRED")
    ),
    Question(WHALE, "What is the pulpit in the chapel shaped like?", ("ship’s bluff bows",)),
    Question(
        WHALE,
        "Where does Queequeg come from?",
        ("native of Rokovoko", "an island far away to the West and South"),
    ),
    Question(
        WHALE,
        "What happened when Queequeg used a wheelbarrow for the first time?",
        ("shoulders the barrow",),
    ),
    Question(
        WHALE,
        "According to the legend, how was Nantucket first settled?",
        ("eagle swooped down", "ivory casket"),
    ),
    Question(
        WHALE,
        "Why was Ishmael locked out of Queequeg's room all day?",
        ("Fasting and Humiliation",),
    ),
    Question(
        WHALE,
        "What mark did Queequeg make instead of signing his name?",
        ("exact counterpart of a queer round figure",),
    ),
    Question(
        WHALE,
        "Which two Quaker captains own most of the Pequod?",
        ("Captain Peleg and Captain Bildad",),
    ),
    Question(
        WHALE, "What did Aunt Charity bring on board before the ship sailed?", ("jar of pickles",)
    ),
    Question(
        WHALE,
        "On which holiday did the Pequod leave port?",
        ("cold Christmas", "short, cold Christmas"),
    ),
    Question(
        WHALE,
        "Who stands at the helm although he has only just come home from a long voyage?",
        ("tall, newlanded mariner",),
    ),
    Question(
        WHALE,
        "What oil is used to anoint kings at their coronation?",
        ("macassar oil", "sperm oil in its unmanufactured"),
    ),
    Question(
        WHALE,
        "Who are the harpooneers of Starbuck, Stubb and Flask?",
        ("Tashtego, an unmixed Indian",),
    ),
    Question(WHALE, "What scar runs down Ahab's face?", ("lividly whitish",)),
    Question(
        WHALE,
        "What did Ahab call Stubb when he asked him to walk more quietly?",
        ("ten times a donkey",),
    ),
    Question(
        WHALE,
        "In what order do the officers come to dinner in the cabin?",
        ("Flask was the last person down", "first Emir"),
    ),
    Question(
        WHALE,
        "Why does Flask always remain hungry at the captain's table?",
        ("butterless man", "Flask was the last person down"),
    ),
    Question(
        WHALE,
        "What is dangerous about dreaming on the mast-head?",
        ("Pantheists", "Descartian vortices"),
    ),
    Question(
        WHALE,
        "From what did the harpooneers drink when they swore death to Moby Dick?",
        ("harpoon sockets",),
    ),
    Question(
        WHALE, "What frightens sailors about the white albatross?", ("first albatross I ever saw",)
    ),
    Question(
        WHALE,
        "What noise did the sailor hear from below in the after-hold?",
        ("there is somebody down in the after-hold", "sounds like two or three sleepers"),
    ),
    Question(
        WHALE,
        "What does Ahab do at night with his maps?",
        ("wrinkled roll of yellowish sea charts",),
    ),
    Question(
        WHALE,
        "Which ship was sunk by a whale in the Pacific under Captain Pollard?",
        ("ship Essex",),
    ),
    Question(
        WHALE,
        "What were Ishmael and Queequeg weaving when the first whale was sighted?",
        ("sword-mat",),
    ),
    Question(
        WHALE,
        "What became of Ishmael's boat in the squall at the first lowering?",
        ("Though completely swamped", "whole crew were half suffocated"),
    ),
    Question(
        WHALE,
        "What did Ishmael do in the forecastle after his narrow escape from the first chase?",
        ("rough draft of my will",),
    ),
    Question(WHALE, "What does the word gam mean among whalers?", ("social meeting of two",)),
    Question(WHALE, "Why did Steelkilt hit Radney?", ("stove in his head",)),
    Question(WHALE, "To whom does Ishmael tell the Town-Ho's story in Lima?", ("Golden Inn",)),
    Question(WHALE, "Which painters drew whales best?", ("Garnery",)),
    Question(
        WHALE,
        "How is the whale-line arranged in the boat and why is it dangerous?",
        ("hempen intricacies", "serpentine"),
    ),
    Question(
        WHALE, "How does Stubb kill his first sperm whale?", ("churned his long sharp lance",)
    ),
    Question(
        WHALE,
        "Why should the harpooneer not row before he throws?",
        ("start to their feet from out of idleness",),
    ),
    Question(
        WHALE,
        "What drives the sharks mad while they bite at the whale and at their own bowels?",
        ("only at each other’s disembowelments",),
    ),
    Question(WHALE, "How thick is the whale's blubber?", ("ten to twelve and fifteen inches",)),
    Question(
        WHALE,
        "What does Ahab say to the head of the whale hanging at the ship's side?",
        ("thou vast and venerable head",),
    ),
    Question(
        WHALE,
        "Why would a whaler hang the heads of two kinds of whale on either side of the ship?",
        ("can never afterwards capsize",),
    ),
    Question(
        WHALE, "Where are the eyes of the sperm whale and what can it see?", ("young colt’s eye",)
    ),
    Question(WHALE, "What use do ladies have for the whale's baleen?", ("farthingale", "busks")),
    Question(
        WHALE, "How much sperm oil is in the case of a large whale?", ("five hundred gallons",)
    ),
    Question(
        WHALE,
        "What did the captain of the German ship Virgin want from the Pequod?",
        ("lamp-feeder and an oil-can",),
    ),
    Question(
        WHALE,
        "What was wrong with the old whale that the Pequod took from the German boats?",
        ("stump of his starboard",),
    ),
    Question(
        WHALE,
        "Which heroes and gods belong to the brotherhood of whalemen?",
        ("St. George and the Dragon", "Jupiter, was the first whaleman"),
    ),
    Question(WHALE, "Why did an old sailor doubt the story of Jonah?", ("One old Sag-Harbor",)),
    Question(
        WHALE,
        "Is the spout of the whale water or vapour?",
        ("nothing but mist", "that the spout is nothing but mist"),
    ),
    Question(
        WHALE,
        "What did they see in the calm in the middle of the great herd of whales?",
        ("nursing mothers", "umbilical cord"),
    ),
    Question(
        WHALE,
        "What are the laws of fast-fish and loose-fish?",
        ("A Fast-Fish belongs to the party fast to it",),
    ),
    Question(
        WHALE,
        "To whom does the head of a whale caught on the English coast belong?",
        ("Honorary Grand Harpooneer",),
    ),
    Question(
        WHALE,
        "What does the mincer wear while he cuts the blubber?",
        ("candidate for an archbishopric", "cassock"),
    ),
    Question(WHALE, "Why do whalemen have so much light on board?", ("Aladdin’s lamp",)),
    Question(
        WHALE,
        "How is the ship cleaned after the oil has been stowed?",
        (
            "unmanufactured sperm oil possesses a singularly cleansing virtue",
            "singularly cleansing",
        ),
    ),
    Question(
        WHALE,
        "What was hospitality like on the English whaler Samuel Enderby?",
        ("rate of ten gallons the hour",),
    ),
    Question(
        WHALE,
        "What did the natives of the Arsacides make of a whale's skeleton?",
        ("skull, the priests kept up", "the vertebræ were carved"),
    ),
    Question(WHALE, "How long is the skeleton of the sperm whale?", ("seventy-two feet",)),
    Question(
        WHALE,
        "What accident happened to Ahab's ivory leg before he sailed?",
        ("all but pierced his groin", "prone upon the ground"),
    ),
    Question(WHALE, "Why does the carpenter sneeze while he works on the leg?", ("bone dust",)),
    Question(
        WHALE,
        "Why did Ahab point a musket at Starbuck?",
        ("loaded musket from the rack", "There is one God that is Lord"),
    ),
    Question(WHALE, "How did the blacksmith lose his family?", ("Bottle Conjuror",)),
    Question(
        WHALE,
        "Of what did Perth forge Ahab's harpoon?",
        ("nail-stubbs of the steel shoes of racing horses", "racing horses"),
    ),
    Question(WHALE, "How does a dying whale turn its head?", ("He turns and turns",)),
    Question(
        WHALE, "Why did Ahab smash his quadrant?", ("Foolish toy", "Curse thee, thou quadrant")
    ),
    Question(
        WHALE, "How did Ahab make a new compass needle?", ("sail-maker’s needles", "sail-needle")
    ),
    Question(
        WHALE,
        "What happened to the log and line?",
        ("the rotten line", "mad sea parts the log-line", "long festoon"),
    ),
    Question(
        WHALE,
        "What fell from the mast-head into the sea, and why did the life-buoy sink?",
        ("shrunken", "the studded iron-bound cask", "cask followed the sailor"),
    ),
    Question(
        WHALE, "Why would Ahab take Pip into his cabin?", ("Ahab’s cabin shall be Pip’s home",)
    ),
    Question(WHALE, "What bird stole Ahab's hat?", ("red-billed savage sea-hawks", "sea-hawk")),
    Question(
        WHALE,
        "What were the sailors of the Delight doing when the Pequod met it?",
        ("one of five stout men",),
    ),
    Question(
        WHALE,
        "How long had Ahab been whaling when he talked with Starbuck on the mild day?",
        ("forty years ago", "Forty years of continual whaling", "Forty—forty—forty years ago"),
    ),
    Question(
        WHALE,
        "What happened to Fedallah on the second day of the chase?",
        ("caught among the tangles of your line",),
    ),
    Question(
        WHALE, "How was Fedallah's body seen on the third day?", ("half torn body of the Parsee",)
    ),
    Question(
        WHALE,
        "Who first sighted Moby Dick on the first day of the chase?",
        ("There she blows!—there she blows! A hump like a snow-hill",),
    ),
    Question(
        WHALE,
        "How did Moby Dick bite Ahab's boat in two?",
        ("bit the craft completely in twain", "shears"),
    ),
    Question(
        WHALE,
        "Why does Father Mapple say Jonah paid three times the usual fare?",
        ("thrice the usual sum",),
    ),
    Question(
        WHALE,
        "How cold was the bed room and what does Ishmael say about a warm nose?",
        ("tip of your nose", "your nose"),
    ),
    Question(
        WHALE,
        "What are the streets of New Bedford like and who walks there?",
        ("actual cannibals stand chatting at street corners",),
    ),
    Question(
        WHALE,
        "What does Ishmael think about the dignity of whaling as a profession?",
        ("Yale College and my Harvard",),
    ),
    Question(ALICE, "What does the poem about the little crocodile say?", ("little crocodile",)),
    Question(ALICE, "What is the Mouse's driest story about?", ("William the Conqueror",)),
    Question(
        ALICE, "Which birds and animals sat on the bank after the swim?", ("a Duck and a Dodo",)
    ),
    Question(
        ALICE, "What is the shape of the Mouse's tale?", ("long and a sad tale", "Fury said to a")
    ),
    Question(ALICE, "Why did all the birds leave Alice alone?", ("Dinah’s our cat",)),
    Question(
        ALICE,
        "What did the pebbles thrown through the window turn into?",
        ("turning into little cakes",),
    ),
    Question(
        ALICE, "What advice did the Caterpillar give when Alice complained?", ("Keep your temper",)
    ),
    Question(
        ALICE,
        "Which poem did Alice recite about an old man standing on his head?",
        ("You are old, Father William",),
    ),
    Question(
        ALICE,
        "What did the Fish-Footman bring to the Frog-Footman?",
        ("An invitation from the Queen to play croquet",),
    ),
    Question(
        ALICE, "What song did the Duchess sing to the baby?", ("Speak roughly to your little boy",)
    ),
    Question(
        ALICE,
        "Which way should Alice go, according to the Cat?",
        ("depends a good deal on where you want to get to",),
    ),
    Question(ALICE, "How does the Cat prove that it is mad?", ("a dog growls when it’s angry",)),
    Question(
        ALICE, "What song did the Hatter sing at the concert?", ("Twinkle, twinkle, little bat",)
    ),
    Question(
        ALICE,
        "Where did the Hatter and the March Hare try to put the Dormouse?",
        ("put the Dormouse into the teapot",),
    ),
    Question(
        ALICE,
        "Who were in the procession of the Queen of Hearts?",
        ("ten soldiers carrying clubs",),
    ),
    Question(ALICE, "Where did Alice hide the gardeners from the Queen?", ("large flower-pot",)),
    Question(ALICE, "Why had the Duchess been put in prison?", ("boxed the Queen’s ears",)),
    Question(
        ALICE,
        "Where did the Gryphon take Alice and whom did they meet sitting on a rock?",
        ("Mock Turtle in the distance",),
    ),
    Question(ALICE, "Why was the old schoolmaster called Tortoise?", ("because he taught us",)),
    Question(
        ALICE,
        "Why do they call them lessons, growing shorter each day?",
        ("because they lessen from day to day",),
    ),
    Question(
        ALICE,
        "Which song does the Mock Turtle sing in a voice choked with sobs?",
        ("Beautiful Soup",),
    ),
    Question(
        ALICE,
        "What evidence did the Hatter bring to the trial in his hands?",
        ("a teacup in one hand and a piece of bread-and-butter",),
    ),
    Question(ALICE, "What is done with a guinea-pig that cheers in court?", ("large canvas bag",)),
    Question(ALICE, "What did the cook say tarts are made of?", ("Pepper, mostly",)),
    Question(
        ALICE, "What happened to the jury-box when Alice stood up?", ("tipped over the jury-box",)
    ),
    Question(
        ALICE,
        "What do the cards do to Alice at the end of the dream?",
        ("whole pack rose up into the air",),
    ),
    Question(
        ALICE,
        "What was Alice doing on the bank before the Rabbit came?",
        ("making a daisy-chain", "pleasure of making a daisy-chain"),
    ),
)
