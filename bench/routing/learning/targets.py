"""What a strong model gains over a cheap one, row by row.

Outcomes are compared inside one source only. Where a source has several strong and cheap models
their means are taken: many coins say more than two.
"""

import numpy

# Of each family (strong, cheap), by the names that the sources give them, in order of preference.
FAMILIES = {
    "routellm": [("gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1")],
    "anthropic": [
        ("claude-3-5-sonnet-20240620", "claude-3-haiku-20240307"),
        ("Claude-3.5-Sonnet-20240620", "Claude-3-Haiku"),
    ],
    "openai": [
        ("gpt-4o-2024-08-06-FC", "gpt-4o-mini-2024-07-18-FC"),
        ("gpt-4o-2024-05-13", "gpt-4o-mini-2024-07-18"),
        ("GPT-4O-2024-08-06", "GPT-4O-mini-2024-07-18"),
    ],
    "google": [
        ("gemini-1.5-pro", "gemini-1.5-flash"),
        ("gemini-1.5-pro-002", "gemini-1.5-flash-002"),
        ("Gemini-Pro-1.5-002", "Gemini-Flash-1.5-002"),
    ],
    "meta": [
        ("Meta-Llama-3.1-70B-Instruct", "Meta-Llama-3.1-8B-Instruct"),
        ("llama-3.1-70b-instruct", "llama-3.1-8b-instruct"),
    ],
}
ZEROEVAL = ("zeroeval_gsm8k", "zeroeval_math_l5", "zeroeval_crux")
# The mixtures that are reported: family and sources.
MIXTURES = {
    "mmlu": ("routellm", ("routellm_mmlu",)),
    "gsm8k": ("routellm", ("routellm_gsm8k",)),
    "anthropic": ("anthropic", (*ZEROEVAL, "livecodebench", "bfcl_v1")),
    "openai": ("openai", (*ZEROEVAL, "livecodebench", "bfcl_v1")),
    "google": ("google", (*ZEROEVAL, "livecodebench", "mmlu_pro")),
    "meta": ("meta", (*ZEROEVAL, "mmlu_pro")),
}
ROWS_OF_A_SOURCE = 1300

# Strong and cheap models of every source, for weights that know no family.
POOLS = (
    (
        "gpt-4-1106-preview", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06-FC", "claude-3-5-sonnet",
        "Claude-3.5-Sonnet", "claude-3.5-sonnet", "claude-sonnet-4", "gemini-1.5-pro",
        "Gemini-Pro-1.5-002", "Meta-Llama-3.1-405B", "Llama-3.1-405B", "llama-3.1-70b-instruct",
        "Meta-Llama-3.1-70B", "Mistral-Large-2", "qwen1.5-72b", "GPT-4O-2024", "deepseek-r1",
        "o3-mini", "llama-4-maverick", "llama-3.1-nemotron-51b", "llama-3.3-nemotron-super",
        "Qwen2-72B", "Qwen2.5-72B", "claude-3-opus",
    ),
    (
        "mixtral-8x7b", "gpt-4o-mini", "GPT-4O-mini", "claude-3-haiku", "Claude-3-Haiku",
        "gemini-1.5-flash", "Gemini-Flash-1.5", "Meta-Llama-3.1-8B", "llama-3.1-8b",
        "qwen1.5-7b", "Qwen2-7B", "gpt-3.5-turbo", "llama-4-scout", "gemma-3-27b",
        "mistral-small", "qwen2.5-7b", "gemma-2-9b", "mistral-7b", "Mixtral-8x7B",
        "Meta-Llama-3-8B", "Phi-3",
    ),
)  # fmt: skip


def scores_of(row, family):
    """(strong, cheap) of one row, or None."""
    for strong, cheap in FAMILIES[family]:
        if strong in row.outcomes and cheap in row.outcomes:
            return row.outcomes[strong], row.outcomes[cheap]
    return None


def mixture(rows, name, cap=ROWS_OF_A_SOURCE):
    """(places of the rows, strong scores, cheap scores): at most `cap` rows of a source."""
    family, sources = MIXTURES[name]
    places, strong, cheap = [], [], []
    for source in sources:
        found = [
            (i, scores_of(row, family)) for i, row in enumerate(rows) if row.source == source
        ]
        found = [(i, scores) for i, scores in found if scores]
        if len(found) > cap:
            chosen = numpy.random.default_rng(0).permutation(len(found))[:cap]
            found = [found[i] for i in sorted(chosen)]
        for i, (better, worse) in found:
            places.append(i)
            strong.append(better)
            cheap.append(worse)
    return numpy.array(places), numpy.array(strong), numpy.array(cheap)


def pooled(row):
    """(strong, cheap) means of the pools, or None where a side is empty."""
    means = []
    for pool in POOLS:
        found = [score for model, score in row.outcomes.items() if model.startswith(pool)]
        if not found:
            return None
        means.append(sum(found) / len(found))
    return tuple(means)
