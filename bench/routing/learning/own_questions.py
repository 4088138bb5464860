"""Questions of our own: what people ask in one line, about anything, in many shapes.

Beside learning/own_prompts.py, which calls this. Subjects come from there, so that the shape of a
question is what is learned. Each kind has shapes of several levels of care: whole sentences, search
words, a sentence before the question.
"""

FACTS = (
    "Who invented {}?", "When did {} begin?", "who was the first person to see {}",
    "In which year was {} founded?", "What is the name of the river near {}?", "where is {} from",
    "which country has the most {}", "What colour is {}?", "How long is {}?", "who sang {}",
    "When was {} released?", "Which animal eats {}?", "what does {} mean", "who wrote {}",
    "How tall is {}?", "Name the author of {}.", "who is the king in {}", "What is {} made of?",
    "Which sport is played with {}?", "when is {} celebrated", "how old is {}",
    "Whose nickname was \"{}\"?", "Which film of the eighties is about {}?", "where does {} live",
    "Who plays the lead in {}?", "What is the opposite of {}?", "where would you keep {}?",
    "If you want {}, where do you go first?", "What do people use {} for?", "who won {} last year",
    "To open {}, which tool is best?", "What is the plural of {}?", "What metal is in {}?",
)  # fmt: skip
OVER_PASSAGES = (
    "is {} the same as in the past", "does {} still exist", "How many more {} were there than {}?",
    "Which came later, {} or {}?", "was {} ever a part of this", "can you have {} without {}",
    "How many of them were not {}?", "Who was responsible for {}?", "What happened after {}?",
    "Which group was larger, {} or {}?", "In what year did {} end?", "are {} and {} related",
    "What does the writer say of {}?", "How many days did {} last?", "is there a second {}",
)  # fmt: skip
REASONING = (
    "{a} is to {b} as {c} is to what?", "Which does not belong: {a}, {b}, {c} or {d}? Say why.",
    "All {a} are {b}. Some {b} are {c}. Does it follow that some {a} are {c}?",
    "What would happen if {a} vanished tomorrow?", "Is this sound: no {a}, hence no {b}?",
    "Roughly how many {a} are there in a large city? Show how you estimate it.",
    "I see {a} on the table and {b} below it. {c} is above both. What is in the middle?",
    "Today it is two days before {a}, which falls on a Friday. Which day was yesterday?",
    "Either {a} or {b} is in the box, and not both. It is not {b}. What is in the box, and why?",
    "A shop sells {a} only when {b} is sold out. {b} is in stock. What can be concluded?",
    "What is the next in this row: {a}, {b}, {a} {a}, {b} {b}, ...?",
    "My neighbour blames {a} for {b}. Which other causes could explain it, and how to tell?",
    "{a} weighs more than {b}; {b} as much as {c} and {d} together. Order them by weight.",
    "If {a} implies {b}, and {b} is false, what do we know of {a}? Think step by step.",
    "You are in a room with {a}, {b} and a rope. How do you get out? Find the flaw in your plan.",
    "How can both be true: everybody wants {a}, and nobody buys {a}?",
)  # fmt: skip
CHAT = (
    "I have been thinking about {} all day.", "My friend gave me {}!", "guess who saw {} today",
    "What's your favourite {}?", "have you ever seen {}?", "I don't like {} at all, you know.",
    "I am so tired of {}.", "You remind me of {}.", "Would you rather have {} or {}?",
    "haha, {} again", "can we talk about {}?", "My day was fine, mostly {}.", "I miss {}.",
    "are you afraid of {}?", "Do you dream of {}?", "I am proud: I did {} by myself.",
    "If you were {}, how would you feel?", "I had {} for lunch. And you?", "do you know {}? me too",
    "nobody understands me when I speak of {}", "You are my {} now. Stay in that role.",
)  # fmt: skip
MATHEMATICS = (
    "Solve for x: {p}x + {q} = {r}.", "What is the derivative of {p}x^3 - {q}x?",
    "How many square metres of carpet does a room of {p} by {q} metres need?",
    "A tank fills in {p} hours and empties in {q}. How long with both open?",
    "Integrate {p} sin({q}x) from 0 to pi.", "Simplify ({p}x + {q})(x - {r}).",
    "What is the chance of {p} heads in {q} tosses?", "Find the mean of {p}, {q}, {r} and {p}.",
    "Is {r} prime? If not, give its factors.", "How do I work out the area of a circle of {p} cm?",
    "{p} workers need {q} days. How many days do {r} workers need?", "log base {p} of {r}",
    "A loan of {r} at {p} percent a year: what is owed after {q} years?",
    "What is the greatest common divisor of {p} and {r}?", "Write {q}/{r} as a decimal.",
    "Give the matrix that turns the plane by {p} degrees.", "What does a standard deviation of {p} "
    "say of a normal distribution with mean {r}?", "explain the chain rule with an example",
)  # fmt: skip
CODE = (
    "I get a null pointer when I load {}. How do I fix my code?", "Parse {} from a csv in pandas.",
    "How can I sort a list of {} by two keys in Python?", "What is wrong with this loop over {}?",
    "Write unit tests for a class that stores {}.", "Make a REST endpoint that returns {}.",
    "Show me a bash script that renames all files named {}.", "sql join of {} and {}, with counts",
    "Explain what a closure is, with {} as the example.", "React component that lists {}",
    "Which data structure should hold {} if lookups must be fast?", "regex to match {}",
    "Why does my program print {} twice?", "Convert a table of {} to JSON in JavaScript.",
    "Create a Dockerfile for a service that keeps {}.", "git: how to remove {} from history",
    "How would you model {} in a relational database?", "Write a function to count {} in a string.",
    "Implement a cache of {} with a time to live in Go.", "Plot {} over time with matplotlib.",
    "My compiler says undefined reference to {}. What now?", "Rewrite this query on {} to be fast.",
)  # fmt: skip


def add_questions(add, generator, subjects, texts):
    """Calls add(name, kind, None, prompts) for each kind: nothing is said of how hard they are."""

    def about(templates, count):
        return sorted({
            generator.choice(templates).format(generator.choice(subjects),
                                               generator.choice(subjects))
            for _ in range(count)
        })

    add("fact_about", "simple_qa", None, about(FACTS, 300))
    add("talk_about", "chat", None, about(CHAT, 250))
    add("code_about", "code", None, about(CODE, 200))
    questions = about(OVER_PASSAGES, len(texts))
    generator.shuffle(questions)
    pairs = list(zip(texts, questions, strict=False))
    add("passage_about", "transform", None, [
        f"{question}\n{text}" if i % 2 else f"{text}\n{question}"
        for i, (text, question) in enumerate(pairs)])
    add("reasoning_about", "reasoning", None, sorted({
        generator.choice(REASONING).format(
            **dict(zip("abcd", generator.sample(subjects, 4), strict=True)))
        for _ in range(200)}))
    add("mathematics_short", "math", None, sorted({
        generator.choice(MATHEMATICS).format(
            p=generator.randrange(2, 12), q=generator.randrange(2, 40),
            r=generator.randrange(40, 900)) for _ in range(200)}))
