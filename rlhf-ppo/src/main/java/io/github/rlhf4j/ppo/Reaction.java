package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.TokenSequence;

/**
 * What an environment makes of one of the policy's turns.
 *
 * @param reward of the turn, finite, reward units; it is paid with the turn's last token
 * @param observation the tokens that the policy goes on from; empty when the dialogue ends with the turn
 */
public record Reaction(double reward, TokenSequence observation) {

    public Reaction {
        if (!Double.isFinite(reward)) {
            throw new IllegalArgumentException("the reward of a turn is a finite number, got " + reward);
        }
    }

    /**
     * The dialogue goes on.
     *
     * @param observation at least one token: what the user or tool says, with all that makes it the policy's turn again in
     *     the model's chat format
     */
    public static Reaction goOn(double reward, TokenSequence observation) {
        if (observation.isEmpty()) {
            throw new IllegalArgumentException(
                    "a dialogue goes on from at least one token of somebody else's, got none;"
                            + " Reaction.end(reward) ends it");
        }
        return new Reaction(reward, observation);
    }

    /** The dialogue ends with the turn. */
    public static Reaction end(double reward) {
        return new Reaction(reward, TokenSequence.empty());
    }

    /** Whether the dialogue ends with the turn. */
    public boolean ended() {
        return observation.isEmpty();
    }
}
