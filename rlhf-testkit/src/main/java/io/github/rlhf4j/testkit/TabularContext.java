package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.TokenSequence;

/** What a tabular model looks at when it predicts the next token. */
public enum TabularContext {
    /** Everything before: a tree. Any distribution over responses can be represented. */
    WHOLE_PREFIX {
        @Override
        TokenSequence key(TokenSequence tokens, int position) {
            return tokens.slice(0, position);
        }
    },

    /** The last token alone: a Markov chain, whose contexts share parameters across positions and prompts. */
    LAST_TOKEN {
        @Override
        TokenSequence key(TokenSequence tokens, int position) {
            return tokens.slice(position - 1, position);
        }
    };

    /** The table's key for the token at {@code position ≥ 1}. */
    abstract TokenSequence key(TokenSequence tokens, int position);
}
