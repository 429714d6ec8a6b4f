package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.DialogueState;
import io.github.rlhf4j.ppo.Reaction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@link DialogueEnvironment} promises, as tests. Extend it and give your environment, and what a policy may say to it. */
public abstract class DialogueEnvironmentContract {

    /** Dialogues with each prompt in which what is said is drawn. */
    private static final int DRAWN = 5;

    /** The environment under test; each call may give the same one. */
    protected abstract DialogueEnvironment environment();

    /** The tokenizer of the policies that it talks to. */
    protected abstract Tokenizer tokenizer();

    /** What dialogues begin with, at least one. */
    protected abstract List<Prompt> prompts();

    /** What a policy may say in a turn, at least two texts; among them what the environment pays for, and what it does not. */
    protected abstract List<String> turns();

    /** The tokens of a turn; override to end it with a stop token. */
    protected TokenSequence tokens(String turn) {
        return tokenizer().encode(turn);
    }

    /** Turns within which every dialogue ends, whatever is said; override for longer ones. */
    protected int mostTurns() {
        return 100;
    }

    /** How far apart rounding may bring a reward alone and among others: this times max(1, |reward|). */
    protected double tolerance() {
        return 1e-4;
    }

    /** A turn of a dialogue and what the environment made of it. */
    private record Turn(DialogueState state, Reaction reaction) {}

    /** Dialogues in which all turns say the same, for each text, and some in which what they say is drawn. */
    private List<List<Turn>> dialogues(DialogueEnvironment environment) {
        List<List<Turn>> dialogues = new ArrayList<>();
        for (Prompt prompt : prompts()) {
            for (String text : turns()) {
                dialogues.add(play(environment, prompt, dialogues.size(), turn -> text));
            }
            for (int i = 0; i < DRAWN; i++) {
                RandomKey key = RandomKey.of(i).child("turns");
                dialogues.add(play(environment, prompt, dialogues.size(), turn -> turns().get(
                                key.child(turn).below(turns().size()))));
            }
        }
        return dialogues;
    }

    /** One dialogue to its end. */
    private List<Turn> play(DialogueEnvironment environment, Prompt prompt, int number, IntFunction<String> says) {
        List<Turn> dialogue = new ArrayList<>();
        TokenSequence before = prompt.tokens();
        while (true) {
            TokenSequence said = tokens(says.apply(dialogue.size()));
            DialogueState state = state(prompt, before, said, dialogue.size(), true, RandomKey.of(number));
            Reaction reaction = environment.react(state);
            assertNotNull(reaction, () -> "react must return a reaction, got null for " + state);
            dialogue.add(new Turn(state, reaction));
            if (reaction.ended()) {
                return dialogue;
            }
            assertTrue(
                    dialogue.size() < mostTurns(),
                    () -> "a dialogue must end, whatever is said; this one has not after " + mostTurns()
                            + " turns (override mostTurns() if that is right), the last of which: " + state);
            before = state.tokens().concat(reaction.observation());
        }
    }

    private DialogueState state(
            Prompt prompt, TokenSequence before, TokenSequence said, int turn, boolean stopped, RandomKey key) {
        return new DialogueState(prompt, before.concat(said), said, tokenizer().decode(said), turn, stopped, key);
    }

    private static Stream<Turn> turns(List<List<Turn>> dialogues) {
        return dialogues.stream().flatMap(List::stream);
    }

    private static void assertSame(Turn expected, Reaction actual, double tolerance, String rule) {
        double reward = expected.reaction.reward();
        assertTrue(
                expected.reaction.observation().equals(actual.observation())
                        && Math.abs(reward - actual.reward()) <= tolerance * Math.max(1, Math.abs(reward)),
                () -> rule + " " + expected.reaction + "; got " + actual + " for " + expected.state);
    }

    @Test
    public void everyDialogueEnds() {
        dialogues(environment());
    }

    /** A run is one of its seed only so, and a resumed run asks an environment that has seen nothing. */
    @Test
    public void aReactionIsAFunctionOfTheState() {
        DialogueEnvironment environment = environment();
        List<Turn> seen = new ArrayList<>(turns(dialogues(environment)).toList());
        Collections.reverse(seen);
        for (DialogueEnvironment asked : List.of(environment, environment())) {
            for (Turn turn : seen) {
                assertSame(
                        turn,
                        asked.react(turn.state),
                        0,
                        "a reaction must be a function of the state given, asked again whatever else was asked between; it was");
            }
        }
    }

    @Test
    public void eachOfManyGetsTheReactionItWouldGetAlone() {
        DialogueEnvironment environment = environment();
        List<Turn> all = turns(dialogues(environment)).toList();
        int most = all.stream().mapToInt(turn -> turn.state.turn()).max().orElseThrow();
        for (int number = 0; number <= most; number++) {
            int same = number;
            List<Turn> together = new ArrayList<>(
                    all.stream().filter(turn -> turn.state.turn() == same).toList());
            assertAlone(environment, together);
            Collections.reverse(together);
            assertAlone(environment, together);
            assertAlone(environment, together.subList(0, 1));
        }
    }

    private void assertAlone(DialogueEnvironment environment, List<Turn> together) {
        List<Reaction> reactions =
                environment.reactAll(together.stream().map(Turn::state).toList());
        assertEquals(together.size(), reactions.size(), "reactAll must return one reaction per dialogue; reactions");
        for (int i = 0; i < together.size(); i++) {
            assertSame(
                    together.get(i),
                    reactions.get(i),
                    tolerance(),
                    "a dialogue must get the reaction from reactAll, in order, that it gets alone, which is");
        }
    }

    @Test
    public void observationsAreTokensOfThePolicy() {
        int size = tokenizer().vocabularySize();
        turns(dialogues(environment()))
                .forEach(turn -> assertTrue(
                        turn.reaction.observation().stream().allMatch(id -> id >= 0 && id < size),
                        () -> "observations must be of the tokenizer's ids, below " + size + "; got "
                                + turn.reaction.observation()));
    }

    /** A policy that learns says anything: a special token and nothing else, or a turn that is cut off. */
    @Test
    public void anyTurnIsReactedTo() {
        DialogueEnvironment environment = environment();
        for (Prompt prompt : prompts()) {
            for (String text : turns()) {
                assertReacted(environment, prompt, tokens(text), false);
            }
            for (int special : tokenizer().specialTokens().values()) {
                assertReacted(environment, prompt, TokenSequence.of(special), true);
            }
        }
    }

    private void assertReacted(DialogueEnvironment environment, Prompt prompt, TokenSequence said, boolean stopped) {
        DialogueState state = state(prompt, prompt.tokens(), said, 0, stopped, RandomKey.of(0));
        assertDoesNotThrow(
                () -> environment.react(state), () -> "there must be a reaction to any turn, also to " + state + ";");
    }
}
