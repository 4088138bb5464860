"""Prompts of our own: kinds of requests that the shared rows have few or none of.

Made from instructions and subjects by a seed. Each has its kind and how hard it is by design: 0
what any model does, 1 what only a strong one does well. They teach what benchmarks leave out: small
talk, orders, transformations of a text, open-ended work, proofs and designs in one line, other
languages.
"""

import random

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


def passages(rows, generator, count):
    """Pieces of running text to transform, from prompts of the rows given."""
    texts = [row.prompt for row in rows if 200 < len(row.prompt) < 3000]
    return [generator.choice(texts)[: generator.randrange(150, 900)] for _ in range(count)]


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

    texts = passages(rows, generator, 240)
    add("transform", "transform", 0.15,
        [f"{generator.choice(EASY_TRANSFORMS)}\n\n{text}" for text in texts])
    add("writing", "writing", 0.25, sorted(set(fill(WRITING, SIMPLE_SUBJECTS, 220))))
    add("chat", "chat", 0.0, CHAT * 2)
    add("order", "chat", 0.0, ORDERS * 2)
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
    add("elsewhere", None, 1.0, HARD_ELSEWHERE)
    add("tool", "tool_use", 0.1, fill(TOOL_ORDERS, PLACES, 40), tools=2)
    return made
