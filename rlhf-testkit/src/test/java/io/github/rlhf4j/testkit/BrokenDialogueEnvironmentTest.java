package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.DialogueState;
import io.github.rlhf4j.ppo.Reaction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each test of the dialogue environments' contract fails on one that breaks its promise, and says which. */
class BrokenDialogueEnvironmentTest {

    private static final LetterTokenizer LETTERS = DialogueFixture.LETTERS;

    private static DialogueEnvironmentContract contract(DialogueEnvironment environment) {
        return new DialogueEnvironmentContract() {
            @Override
            protected DialogueEnvironment environment() {
                return environment;
            }

            @Override
            protected Tokenizer tokenizer() {
                return LETTERS;
            }

            @Override
            protected List<Prompt> prompts() {
                return DialogueFixture.PROMPTS;
            }

            @Override
            protected List<String> turns() {
                return List.of("a", "b", "c");
            }
        };
    }

    /** A c ends the dialogue and is paid by its turn, the third turn does too; an echo otherwise. */
    private static Reaction echo(DialogueState dialogue) {
        return dialogue.turnText().equals("c") || dialogue.turn() == 2
                ? Reaction.end(10 + dialogue.turn())
                : Reaction.goOn(0, dialogue.turnTokens());
    }

    /** What is broken below is all that is. */
    @Test
    void theEnvironmentThatIsBrokenBelowIsWhole() {
        DialogueEnvironmentContract whole = contract(BrokenDialogueEnvironmentTest::echo);
        whole.everyDialogueEnds();
        whole.aReactionIsAFunctionOfTheState();
        whole.eachOfManyGetsTheReactionItWouldGetAlone();
        whole.observationsAreTokensOfThePolicy();
        whole.anyTurnIsReactedTo();
    }

    @Test
    void reactions() {
        assertFails(
                contract(dialogue ->
                        dialogue.turnText().equals("c") ? Reaction.end(1) : Reaction.goOn(0, LETTERS.encode("a"))),
                DialogueEnvironmentContract::everyDialogueEnds,
                "has not after 100 turns");
        AtomicInteger asked = new AtomicInteger();
        assertFails(
                contract(dialogue -> Reaction.end(asked.getAndIncrement())),
                DialogueEnvironmentContract::aReactionIsAFunctionOfTheState,
                "function of the state");
        assertFails(
                contract(dialogue ->
                        dialogue.turn() == 0 ? Reaction.goOn(0, TokenSequence.of(LETTERS.end() + 1)) : Reaction.end(0)),
                DialogueEnvironmentContract::observationsAreTokensOfThePolicy,
                "below 4; got");
        assertFails(
                contract(dialogue -> Reaction.end(dialogue.turnText().charAt(0))),
                DialogueEnvironmentContract::anyTurnIsReactedTo,
                "a reaction to any turn");
        assertFails(
                contract(dialogue -> {
                    if (!dialogue.stopped()) {
                        throw new IllegalArgumentException("half a turn");
                    }
                    return Reaction.end(0);
                }),
                DialogueEnvironmentContract::anyTurnIsReactedTo,
                "a reaction to any turn");
    }

    /** One whose answers to many are changed on their way. */
    private static DialogueEnvironmentContract reactsToAll(UnaryOperator<List<Reaction>> change) {
        return contract(new DialogueEnvironment() {
            @Override
            public Reaction react(DialogueState dialogue) {
                return echo(dialogue);
            }

            @Override
            public List<Reaction> reactAll(List<DialogueState> dialogues) {
                return change.apply(dialogues.stream().map(this::react).toList());
            }
        });
    }

    @Test
    void reactionsToMany() {
        reactsToAll(reactions -> reactions).eachOfManyGetsTheReactionItWouldGetAlone();
        assertFails(
                reactsToAll(reactions -> reactions.subList(1, reactions.size())),
                DialogueEnvironmentContract::eachOfManyGetsTheReactionItWouldGetAlone,
                "one reaction per dialogue");
        assertFails(
                reactsToAll(reactions -> {
                    List<Reaction> reversed = new ArrayList<>(reactions);
                    Collections.reverse(reversed);
                    return reversed;
                }),
                DialogueEnvironmentContract::eachOfManyGetsTheReactionItWouldGetAlone,
                "that it gets alone");
        assertFails(
                reactsToAll(reactions -> reactions.stream()
                        .map(r -> new Reaction(r.reward() / reactions.size(), r.observation()))
                        .toList()),
                DialogueEnvironmentContract::eachOfManyGetsTheReactionItWouldGetAlone,
                "that it gets alone");
    }
}
