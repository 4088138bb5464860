"""Prompts of our own: kinds of requests that the shared rows have few or none of.

Made from instructions and subjects by a seed. Each has its kind and how hard it is by design: 0
what any model does, 1 what only a strong one does well. They teach what benchmarks leave out: small
talk, orders, transformations of a text, open-ended work, proofs and designs in one line, other
languages.
"""

import random
import re

from learning.own_questions import add_questions
from learning.prompts import Row

EASY_TRANSFORMS = (
    "Summarize the following text in one sentence:",
    "Summarise this in three bullet points:",
    "Translate the following into French:",
    "Translate to Spanish:",
    "Rewrite this in a more formal tone:",
    "Correct the spelling and grammar of this text:",
    "Extract all names and dates from the text below.",
    "Classify the sentiment of this message as positive, negative or neutral:",
    "Make this shorter:",
    "Turn the following notes into an email:",
    "Convert this list to JSON:",
    "Paraphrase this paragraph:",
    "Give this text a title:",
    "What are the key points of this passage?",
    "Put the following in plain English:",
    "Reformat the text below as a table:",
    "tl;dr",
    "Proofread this:",
    "Extract the key entities from this document and list them by type.",
)
SIMPLE_SUBJECTS = (
    "a birthday party", "my cat", "the weather in spring", "a team meeting", "a new coffee shop",
    "a lost parcel", "a holiday by the sea", "learning to cook", "a running shoe", "remote work",
    "a wedding", "my first day at school", "a charity run", "an old bicycle", "good sleep",
    "a power cut", "a garden in autumn", "public transport", "a job interview", "a book club",
)  # fmt: skip
WRITING = (
    "Write a short poem about {}.",
    "Write a tweet about {}.",
    "Draft a friendly email about {}.",
    "Write a blog post about {}.",
    "Give me five ideas for {}.",
    "Write a short story that begins with {}.",
    "Suggest a slogan for {}.",
    "Write a product description for {}.",
    "Compose a toast for {}.",
    "Write a paragraph about {} for a newsletter.",
    "Brainstorm names for something to do with {}.",
    "Generate a report on {}.",
    "Help me write an invitation to {}.",
    "Write a letter of complaint about {}.",
    "Create a social media post about {}.",
)
CHAT = (
    "hi", "hello", "Hey there!", "good morning", "thanks!", "thank you so much", "how are you?",
    "what's up", "who are you?", "what can you do?", "tell me a joke", "ok", "yes please", "bye",
    "nice to meet you", "I am bored", "you are funny", "good night", "haha that was great",
    "can you help me?", "are you there?", "I had a long day today", "what is your name?",
    "let's talk about something else", "sorry, I meant the other one", "sounds good", "no thanks",
    "Do you like music?", "tell me something interesting", "I feel a bit sad today",
    "Hallo, wie geht's?", "Bonjour !", "Hola, ¿qué tal?", "Ciao", "你好", "こんにちは", "Привет",
)  # fmt: skip
ORDERS = (
    "set a timer for ten minutes", "play some jazz", "turn off the lights", "remind me at noon",
    "call mum", "add milk to the list", "stop", "repeat that", "louder please", "next song",
    "what time is it", "what's the date today", "open the calendar", "cancel my alarm",
)  # fmt: skip
PLACES = (
    "France", "Japan", "Brazil", "Kenya", "Norway", "Canada", "Peru", "Egypt", "Spain", "India",
    "Chile", "Poland", "Ghana", "Nepal", "Cuba", "Italy", "Jordan", "Fiji", "Laos", "Austria",
)  # fmt: skip
FACTS = (
    "What is the capital of {}?", "What language do they speak in {}?", "Where is {}?",
    "Who is the head of state of {}?", "What currency is used in {}?", "How big is {}?",
    "What is the population of {}?", "Is {} in Europe?", "What is the flag of {}?",
    "Which continent is {} in?", "What is {} famous for?", "capital of {}",
)  # fmt: skip
EASY_CODE = (
    "Write a Python function that adds two numbers.",
    "How do I print hello world in Java?",
    "What does the command ls -la do?",
    "Write a for loop in C that prints the numbers from 1 to 10.",
    "How do I reverse a string in JavaScript?",
    "Write an SQL query that selects all users older than 30.",
    "How do I read a file line by line in Python?",
    "What is a variable?",
    "Convert this to a list comprehension: for x in y: z.append(x)",
    "Write a regex that matches an email address.",
    "How do I undo the last git commit?",
    "center a div in css",
)
EASY_MATH = (
    "What is {} + {}?", "{} times {}", "What is {}% of {}?", "Divide {} by {}.",
    "Is {} larger than {}?", "calculate {} - {}", "Convert {} miles and {} yards to kilometres.",
)  # fmt: skip
HARD_OBJECTS = (
    "the central limit theorem", "the Riemann hypothesis", "Fermat's last theorem for n = 4",
    "the spectral theorem for compact self-adjoint operators", "the prime number theorem",
    "the Cauchy-Schwarz inequality in an arbitrary Hilbert space", "Gödel's incompleteness theorem",
    "that every bounded monotone sequence converges", "the Banach fixed-point theorem",
    "that the halting problem is undecidable", "Hall's marriage theorem", "Zorn's lemma",
    "that there are infinitely many primes congruent to 3 modulo 4", "the Sylow theorems",
    "that a continuous function on a compact set is uniformly continuous",
    "that the square root of 2 plus the square root of 3 is irrational",
    "the P versus NP problem cannot be settled by relativizing arguments",
    "the existence and uniqueness of solutions of ordinary differential equations",
)  # fmt: skip
PROOFS = (
    "Prove {}.", "Give a rigorous proof of {}.", "Prove or disprove: {}.", "Show {} step by step.",
    "Derive {} from first principles and state every assumption.",
    "Sketch a proof of {}, then fill in each lemma with full rigour.",
    "Find the flaw in the usual proof of {} and repair it.",
)  # fmt: skip
SYSTEMS = (
    "a lock-free multi-producer multi-consumer queue", "a B+ tree with concurrent readers",
    "a Raft consensus module", "a garbage collector with generational heaps",
    "a regular expression engine that runs in linear time", "a distributed rate limiter",
    "a TCP congestion controller", "a just-in-time compiler for a small language",
    "a write-ahead log with crash recovery", "a type checker with let-polymorphism",
    "a real-time collaborative text editor", "a memory allocator for many threads",
    "an LSM-tree storage engine", "a scheduler with work stealing", "a ray tracer on the GPU",
    "a SAT solver with clause learning", "a message broker with exactly-once delivery",
    "a query planner for joins", "a borrow checker", "a vector database index",
)  # fmt: skip
LANGUAGES = ("C++", "Rust", "Go", "Java", "Python", "C", "TypeScript", "Haskell", "Zig", "Scala")
DESIGNS = (
    "Design {} in {} and prove its correctness.",
    "Implement {} in {} with tests, and analyse its complexity.",
    "Write {} in {}. It must never block, never allocate after start, and survive a crash.",
    "Refactor our {} from a single thread to many in {}, keeping the public API unchanged.",
    "Find the race condition in {} written in {} and explain a fix that keeps throughput.",
    "Review the architecture of {} in {} and propose how to halve its tail latency.",
    "Design {} in {}, compare three approaches and justify the trade-offs.",
    "Debug why {} in {} deadlocks under load, step by step.",
)
STUDIES = (
    "Compare {} and {} in depth, with evidence for and against each position.",
    "Develop a five-year strategy on {} for a company that depends on {}, with risks and numbers.",
    "Critically assess how {} would change if {} were abolished; consider second-order effects.",
    "Write a research proposal on the interaction of {} and {}, with method and statistics.",
    "Advise a government on {} given {}; state your assumptions and quantify uncertainty.",
)
FIELDS = (
    "monetary policy", "antibiotic resistance", "constitutional law", "protein folding",
    "nuclear deterrence", "supply chains of semiconductors", "carbon pricing", "tort reform",
    "quantum error correction", "early childhood education", "credit default swaps",
    "the enforceability of non-compete clauses", "differential diagnosis of chest pain",
    "game theory of auctions", "general relativity", "urban zoning", "epigenetic inheritance",
)  # fmt: skip
PUZZLES = (
    "{a}, {b}, {c} and {d} sit in a row. {a} is not next to {b}. {c} is left of {d} but not at an "
    "end. {b} sits right of {c}. Who sits where? Explain each deduction.",
    "{a} always lies, {b} always tells the truth and {c} answers at random. {a} says that {d} is a "
    "spy, {b} says that {c} said so. Which questions settle who the spy is, at least how many?",
    "Plan a week for {a}, {b}, {c} and {d}: each works exactly three days, {a} and {b} never "
    "together, {c} only after {d}, and every day needs two people. List all schedules.",
    "Five houses of five colours stand in a row. {a} lives next to the one who keeps fish, {b} "
    "drinks tea, {c} lives in the middle and {d} in the green house. Work out all that follows.",
    "{a}, {b}, {c} and {d} must cross a bridge at night with one torch; they need 1, 2, 5 and 10 "
    "minutes. What is the least time, and why is no plan faster?",
)
PEOPLE = ("Ann", "Ben", "Carla", "Dev", "Eve", "Farid", "Gina", "Hugo", "Ines", "Jun")
HARD_ELSEWHERE = (
    "Beweise, dass es unendlich viele Primzahlen gibt, und verallgemeinere den Beweis.",
    "Entwirf einen verteilten Scheduler in Go und beweise, dass er keine Verklemmung hat.",
    "Démontrez rigoureusement le théorème de Bolzano-Weierstrass.",
    "Concevez un moteur de base de données transactionnel et analysez sa complexité.",
    "Demuestra que la raíz cuadrada de 2 es irracional y generaliza el resultado.",
    "Diseña un compilador para un lenguaje con tipos dependientes y explica cada fase.",
    "Докажите, что множество действительных чисел несчётно, и обобщите доказательство.",
    "Спроектируйте отказоустойчивую очередь сообщений и докажите её корректность.",
    "证明素数有无穷多个，并推广该证明。",
    "请用C++设计一个无锁队列，并证明其线性一致性。",
    "リーマン予想の証明の試みとその問題点を厳密に説明してください。",
    "ロックフリーなキューを設計し、その正しさを証明してください。",
    "소수가 무한히 많다는 것을 엄밀하게 증명하고 일반화하시오.",
    "أثبت أن مجموعة الأعداد الحقيقية غير قابلة للعد.",
    "Dimostra il teorema di Banach sulle contrazioni e discuti le ipotesi.",
    "Udowodnij twierdzenie Sylowa i podaj kontrprzykład dla twierdzenia odwrotnego.",
)
TOOL_ORDERS = (
    "What's the weather in {} right now?", "Book a table for two in {} tonight.",
    "Send the report to my manager in {}.", "Find flights from {} to Berlin next Friday.",
)  # fmt: skip


SCENES = (
    "The market opened at dawn, and by noon every stall had sold its last loaf of bread.",
    "In 1871 the town built a bridge of stone, which the flood of 1902 carried away.",
    "She closed the ledger, counted the coins twice and told nobody what was missing.",
    "Our revenue grew by 12 % in the second quarter, while costs stayed where they were.",
    "The committee met on Tuesday and agreed to move the deadline to the end of March.",
    "Bees dance to tell the others how far away the flowers are and where the sun stands.",
    "The team scored twice in the first half and held on after a player was sent off.",
    "I bought these headphones a month ago and the left side has already stopped working.",
    "The castle was sold in 1640 to a merchant, who lived there with his seven children.",
    "Heavy rain is expected in the north; the south stays dry with some wind from the sea.",
    "The patient is a 54-year-old man who came in with a cough that has lasted three weeks.",
    "Dear Sir or Madam, I am writing with regard to the position that you have advertised.",
    "Glaciers move slowly, grinding the rock below into flour that turns the rivers white.",
    "He said that the train had been late again, that he was tired and that it was cold.",
    "The new law limits the noise of engines and takes effect in all states next summer.",
    "Maria Lopez founded the company in Lisbon with two friends; it now employs 340 people.",
    "The soup needs an hour on a low flame; add the salt at the end or the beans stay hard.",
    "Until the war the line carried four million passengers a year, most of them workers.",
    "lol i cant belive she said that to him, their never going to talk again after this!!",
    "The recipe asks for two eggs, 200 g of flour, a pinch of salt and a glass of milk.",
)
PASSAGE_QUESTIONS = (
    "How many were there in total?", "Who did it?", "When did it happen?", "Is it true?",
    "Which came first?", "Where did this take place?", "Why was that so?", "What is it about?",
    "How many years passed between the two events?", "What was the result?", "yes or no?",
    "Answer with words of the passage only.", "Which city is named?", "Who was it sold to?",
)  # fmt: skip
PASSAGE_SHAPES = (
    "{text}\n{question}", "Passage: {text}\nQuestion: {question}",
    "Read the text and answer.\n\n{text}\n\n{question}", "{question}\n\n{text}",
    "Context: {text}\n\nQuestion: {question}\nAnswer:", "\"{text}\"\n\n{question}",
    "Based on the article below, {question}\n{text}",
)  # fmt: skip
MORE_TRANSFORMS = (
    "Write a summary of the text above.", "What is the tone of this?", "Improve the wording.",
    "Turn it into a haiku.", "Say the same in simpler words for a child.", "Put it in German.",
    "List the people mentioned.", "Is this review positive or negative?", "Find the mistakes.",
    "Rewrite it from the point of view of someone else.", "Reply to this message politely.",
    "Which category does it belong to: sports, politics or science?", "Pull out the numbers.",
    "Continue this in the same style.", "Explain what the author means.", "Make it funnier.",
)  # fmt: skip
HOW_TOS = (
    "How can I get better at {}?", "Give me tips for {}.", "What are some good ideas for {}?",
    "How do I prepare for {}?", "Create a plan for {}.", "What should I consider about {}?",
    "Recommend some books about {}.", "Make a checklist for {}.", "How to deal with {}?",
    "Write a guide to {} for beginners.", "Suggest three activities around {}.",
    "I am thinking about {}. What do you advise?", "Design a poster about {}.",
)  # fmt: skip
ROLES = (
    "a pirate", "my landlord", "a wizard", "Albert Einstein", "a detective of the 1920s", "a nurse",
    "a football coach", "Cleopatra", "my grandmother", "an interviewer", "a talking cat", "a robot",
    "a tour guide", "a knight", "my best friend", "a stand-up comedian", "Sherlock Holmes",
)  # fmt: skip
ROLE_PLAYS = (
    "Pretend you are {}.", "Act as {} and answer my questions.", "You are {}. Who are you?",
    "Let's do a role play: you are {} and I am a stranger.", "Talk to me like {}.",
    "Imagine you are {}. What do you think of today's world?", "Be {} for a moment.",
    "I want you to act as {}. I will write and you will reply in character.",
    "Now you are {}. Introduce yourself.", "What would {} say about me?",
)  # fmt: skip
FEELINGS = (
    "I am so happy today!", "My boyfriend left me and I don't know what to do.", "I feel lonely.",
    "I hate Mondays.", "I think my colleagues don't like me.", "You sound like a human.",
    "Do you have feelings?", "Are you conscious?", "What do you think about love?", "Marry me.",
    "Do you believe in ghosts?", "What is your favourite film?", "Can I tell you a secret?",
    "I can't sleep. Talk to me.", "You are wrong about that.", "Why are you so slow today?",
    "Guess what happened to me today", "Do you remember what I told you?",
    "Are you better than me?",
)  # fmt: skip
EXPLAINS = (
    "Explain how {} works.", "What are the main debates in {}?", "Give an overview of {}.",
    "How has {} changed since 1950?", "What should an expert know about {}?",
    "Describe the mechanisms behind {}.", "What is the evidence for {}?", "Compare schools of {}.",
    "Discuss the ethics of {}.", "What are the limits of {}?", "Why does {} matter?",
)  # fmt: skip
LOGIC = (
    "{a} is taller than {b}, and {b} is taller than {c}. Is {d} taller than {a}?",
    "If all friends of {a} are friends of {b}, and {c} is a friend of {a}, is {c} one of {b}'s?",
    "{a} has three sisters. Each sister has one brother. How many brothers are there?",
    "{a}, {b} and {c} finished a race. {a} was not first and {c} came after {b}. Who won?",
    "{a} put the ball in the basket and left. {b} moved it to the box. Where will {a} look?",
    "{a} says {b} is lying. {b} says {c} is lying. {c} says both lie. Who tells the truth?",
    "Plan the fastest route for {a} to pick up {b}, {c} and {d} when {b} must come before {d}.",
    "{a} is older than {b} but younger than {c}. {d} is the oldest. Put them in order.",
    "{a} faces north, turns right twice and left once. Which way does {a} face?",
    "Which statement must be true if {a} only works when {b} does and {b} is away on Mondays?",
)


MORE_WRITING = (
    "Recipe for {}", "Write a paper on {}", "Come up with a witty title about {}.",
    "Give me 20 keywords for a website about {}.", "Write a script for a video on {}.",
    "Create a job application letter for a position in {}.", "how to {} at home",
    "Generate a narrative about {} in a fantasy world.", "Draft a mail about {} to my manager.",
    "Write an article about {}", "Write a speech on {} for my class.", "Write a song about {}.",
    "Create a marketing plan for {}.", "Write a cover letter mentioning {}.", "tips for {}",
    "I need a profile text that mentions {}.", "Prepare a presentation outline on {}.",
    "Compose a press release: {}.", "Can you write a review of {}?", "Essay about {}.",
    "Write a dialogue between two people who argue about {}.", "What could we do with {}?",
    "Invent a game around {}.", "Write lyrics in the style of a ballad about {}.",
)  # fmt: skip
WISHES = (
    "Make it funny.", "Use a friendly tone.", "Not more than 100 words.", "Include a title.",
    "Write in the first person.", "It should appeal to young parents.", "Use simple language.",
    "Keep each paragraph short.", "End with a call to action.", "Add three hashtags.",
    "Mention that we open on Monday.", "Avoid clichés.", "It has to sound professional.",
    "The readers are experts.", "Use bullet points where they help.", "Be creative.",
)  # fmt: skip
ADVICE = (
    "My {} is broken, what should I do?", "Should I tell my boss about {}?",
    "I am worried about {}. Any advice?", "Where should I go to learn about {}?",
    "What do you think of {}?", "I love {}! Do you?", "Is it rude to talk about {}?",
    "Let's chat about {}.", "I just came back from {}.",
    "My sister says {} is boring. Is she right?",
)  # fmt: skip
OPTION = re.compile(r"^\(?[A-J][.):] .*$|^Answer:.*$", re.MULTILINE)
CONTENT_WORD = re.compile(r"\b[a-zA-Z]{5,12}\b")


def passages(rows, generator, count):
    """Pieces of running text to transform, from prompts of the rows given, options left out."""
    texts = [row.prompt for row in rows if row.kind == "knowledge" and len(row.prompt) < 3000]
    made = []
    while len(made) < count:
        parts = [OPTION.sub("", generator.choice(texts)).strip() for _ in range(3)]
        made.append(" ".join(parts)[: generator.randrange(150, 1500)])
    return made


def topics(rows, generator, count):
    """Two words that stand together in some prompt: what is written about must not matter."""
    made = []
    while len(made) < count:
        words = CONTENT_WORD.findall(generator.choice(rows).prompt[:2000])
        if len(words) > 3:
            at = generator.randrange(len(words) - 1)
            made.append(f"{words[at]} {words[at + 1]}".lower())
    return made


def add_hard_and_easy(add, fill, generator):
    """What any model does, and what only a strong one does well."""
    add("fact", "simple_qa", 0.0, sorted(set(fill(FACTS, PLACES, 150))))
    add("easy_code", "code", 0.15, EASY_CODE * 2)
    add("easy_math", "math", 0.05,
        [generator.choice(EASY_MATH).format(generator.randrange(1, 999),
                                            generator.randrange(2, 99)) for _ in range(60)])
    add("proof", "math", 1.0, [p.format(o) for p in PROOFS for o in HARD_OBJECTS])
    add("design", "code", 1.0,
        sorted({generator.choice(DESIGNS).format(generator.choice(SYSTEMS),
                                                 generator.choice(LANGUAGES))
                for _ in range(160)}))
    add("study", "knowledge", 0.8, sorted(set(fill(STUDIES, FIELDS, 80))))
    puzzles = []
    for _ in range(80):
        a, b, c, d = generator.sample(PEOPLE, 4)
        puzzles.append(generator.choice(PUZZLES).format(a=a, b=b, c=c, d=d))
    add("puzzle", "reasoning", 0.9, puzzles)


def own_prompts(rows, seed):
    """All of them; `rows` lend text to transform."""
    generator = random.Random(seed)
    made = []

    def add(name, kind, hardness, prompts, tools=0):
        for i, prompt in enumerate(prompts):
            identity = f"own/{name}/{i}"
            made.append(
                Row(identity, f"own_{name}", name, kind, prompt, tools, hardness=hardness)
            )

    def fill(templates, values, count):
        return [
            generator.choice(templates).format(generator.choice(values), generator.choice(values))
            for _ in range(count)
        ]

    things = topics(rows, generator, 2000)

    def about(templates, count, wishes=0):
        prompts = []
        for _ in range(count):
            prompt = generator.choice(templates).format(generator.choice(things))
            more = generator.sample(WISHES, generator.randrange(wishes + 1))
            prompts.append(" ".join([prompt, *more]))
        return prompts

    add("writing_about", "writing", 0.25, about(WRITING + MORE_WRITING, 300, 5))
    add("how_to_about", "writing", 0.2, about(HOW_TOS + MORE_WRITING, 150, 2))
    add("advice", "chat", 0.1, about(ADVICE, 200))
    add("explain_about", "knowledge", 0.35, about(EXPLAINS, 80))
    texts = passages(rows, generator, 400)
    texts += [" ".join(generator.sample(SCENES, generator.randrange(1, 9))) for _ in range(240)]
    transforms = [f"{generator.choice(EASY_TRANSFORMS)}\n\n{text}" for text in texts]
    transforms += [f"{text}\n\n{generator.choice(MORE_TRANSFORMS)}" for text in texts[::2]]
    add("transform", "transform", 0.15, transforms)
    add("passage", "transform", 0.2, [
        generator.choice(PASSAGE_SHAPES).format(
            text=text, question=generator.choice(PASSAGE_QUESTIONS)) for text in texts])
    add("writing", "writing", 0.25, sorted(set(fill(WRITING, SIMPLE_SUBJECTS, 220))))
    add("how_to", "writing", 0.2, sorted(set(fill(HOW_TOS, SIMPLE_SUBJECTS, 220))))
    add("role", "chat", 0.1, sorted(set(fill(ROLE_PLAYS, ROLES, 120))))
    add("feeling", "chat", 0.05, FEELINGS * 2)
    add("explain", "knowledge", 0.45, sorted(set(fill(EXPLAINS, FIELDS, 120))))
    logic = [
        generator.choice(LOGIC).format(**dict(zip("abcd", generator.sample(PEOPLE, 4),
                                                  strict=True))) for _ in range(100)
    ]
    add("logic", "reasoning", 0.45, sorted(set(logic)))
    add_questions(add, generator, things, texts)
    add("chat", "chat", 0.0, CHAT * 2)
    add("order", "chat", 0.0, ORDERS * 2)
    add_hard_and_easy(add, fill, generator)
    add("elsewhere", None, 1.0, HARD_ELSEWHERE)
    add("tool", "tool_use", 0.1, fill(TOOL_ORDERS, PLACES, 40), tools=2)
    return made
