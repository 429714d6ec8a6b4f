package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** A dialogue while it grows, turn by turn of the policy and reaction by reaction of the environment. */
final class DialogueDraft {

    /** How it stands. */
    private enum Status {
        GOES_ON,
        ENDED_BY_ENVIRONMENT,
        OUT_OF_ROOM
    }

    private final Prompt prompt;
    private final RandomKey key;
    private final List<Turn> turns = new ArrayList<>();
    private TokenSequence tokens;
    private Status status = Status.GOES_ON;

    /** A turn of the policy's, where it begins, and what was paid for it. */
    private record Turn(Completion completion, String text, double reward) {

        int from() {
            return completion.prompt().length();
        }

        int length() {
            return completion.response().length();
        }
    }

    DialogueDraft(Prompt prompt, RandomKey key) {
        this.prompt = prompt;
        this.key = key;
        this.tokens = prompt.tokens();
    }

    /** What the policy's next turn follows. */
    Prompt asPrompt() {
        return new Prompt(prompt.conversation(), tokens);
    }

    /** The policy's turn. */
    void say(Completion completion, String text) {
        turns.add(new Turn(completion, text, 0));
        tokens = tokens.concat(completion.response());
    }

    /** The dialogue after the policy's turn. */
    DialogueState state() {
        Turn last = last();
        return new DialogueState(
                prompt,
                tokens,
                last.completion.response(),
                last.text,
                turns.size() - 1,
                last.completion.stopped(),
                key);
    }

    /** The reaction to the policy's turn. */
    void hear(Reaction reaction, int contextLength) {
        Turn last = last();
        turns.set(turns.size() - 1, new Turn(last.completion, last.text, reaction.reward()));
        if (reaction.ended()) {
            status = Status.ENDED_BY_ENVIRONMENT;
        } else if (tokens.length() + reaction.observation().length() >= contextLength) {
            status = Status.OUT_OF_ROOM;
        } else {
            tokens = tokens.concat(reaction.observation());
        }
    }

    boolean ended() {
        return status != Status.GOES_ON;
    }

    private Turn last() {
        return turns.get(turns.size() - 1);
    }

    /** What was paid for each turn. */
    double[] turnRewards() {
        return turns.stream().mapToDouble(Turn::reward).toArray();
    }

    /** Tokens of each turn. */
    int[] turnLengths() {
        return turns.stream().mapToInt(Turn::length).toArray();
    }

    /** The dialogue when it has ended: the positions of the policy's turns are scored, what lies between them is not. */
    Trajectory trajectory(Tokenizer tokenizer) {
        int[] positions = turns.stream()
                .flatMapToInt(turn -> IntStream.range(turn.from(), turn.from() + turn.length()))
                .toArray();
        double[] logProbs = turns.stream()
                .flatMapToDouble(turn -> DoubleStream.of(turn.completion.logProbs()))
                .toArray();
        TokenSequence continuation = tokens.slice(prompt.tokens().length(), tokens.length());
        return new Trajectory(
                ScoredSequence.of(tokens, positions),
                continuation,
                logProbs,
                turns.size(),
                status == Status.ENDED_BY_ENVIRONMENT && last().completion.stopped(),
                new Exchange(prompt.conversation(), tokenizer.decode(continuation)));
    }
}
