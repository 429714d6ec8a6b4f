package io.github.rlhf4j.ppo;

import java.util.List;

/**
 * Whoever the policy talks to: a user, a tool, a game. When one of the policy's turns ends it answers with tokens that the
 * policy goes on from, or ends the dialogue, and pays for the turn either way.
 *
 * <p>Its tokens are what the policy sees, never what it is trained on: they have no loss, no KL and no advantage, and the
 * advantage estimate steps from the last token of a turn to the first of the next.
 *
 * <p>It reacts to whatever the policy says, nothing but a stop token and turns that were cut off included, and ends each dialogue
 * after finitely many turns: of one that it does not end, only the end of the policy's context would make an end. It is asked by
 * one thread. {@code DialogueEnvironmentContract} of rlhf-testkit tests what is promised here.
 *
 * <pre>{@code
 * DialogueEnvironment guessing = dialogue -> dialogue.turnText().equals("7") ? Reaction.end(1)
 *         : dialogue.turn() == 2 ? Reaction.end(0)
 *         : Reaction.goOn(0, tokenizer.encode(" No. Again: "));
 * }</pre>
 */
@FunctionalInterface
public interface DialogueEnvironment {

    /**
     * The reaction to a turn. It is a function of the state given, of which the key is all the randomness, so that a run is
     * one of its seed; what it must remember of a dialogue is in the tokens. What dialogues that are compared must have in common
     * (the secret to be guessed, the task) is in the prompt: the key is each dialogue's own.
     */
    Reaction react(DialogueState dialogue);

    /**
     * The reactions to turns of several dialogues, in their order; to each the one it would get alone. By default each by itself;
     * an environment that answers many at once, as one behind a language model does, overrides this.
     *
     * @param dialogues those that go on, each after its turn of the same number; at least one
     */
    default List<Reaction> reactAll(List<DialogueState> dialogues) {
        return dialogues.stream().map(this::react).toList();
    }
}
