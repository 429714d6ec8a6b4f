package io.github.rlhf4j.transformer.tokenizer;

/** Where a SentencePiece tokenizer puts a space that the text does not have, so that its first word is like the others. */
public enum LeadingSpace {
    /** Nowhere. */
    NEVER,
    /** Before each text, and after each added token in it (LLaMA 2). */
    ALWAYS,
    /** As {@link #ALWAYS}, except where there is a space already, which the round trip then loses. */
    WHERE_MISSING,
    /** Before the text only, except where it begins with a space, which the round trip then loses (Mistral). */
    FIRST_WHERE_MISSING
}
