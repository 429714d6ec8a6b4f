package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.RewardShaping;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A rollout of dialogues, side by side: all that go on take a turn, the environment reacts to each, until none goes on. One
 * whose next observation leaves no room for a turn in the policy's context ends there, as one that did not end by itself.
 */
final class DialoguePlay implements Task.Play {

    private final DialogueEnvironment environment;
    private List<DialogueDraft> dialogues = List.of();

    DialoguePlay(DialogueEnvironment environment) {
        this.environment = environment;
    }

    @Override
    public Rollout sample(Policy policy, List<Prompt> prompts, Sampling sampling, long seed) {
        RandomKey key = RandomKey.of(seed).child("dialogues");
        dialogues = IntStream.range(0, prompts.size())
                .mapToObj(i -> new DialogueDraft(prompts.get(i), key.child(i)))
                .toList();
        List<DialogueDraft> open = dialogues;
        for (int turn = 0; !open.isEmpty(); turn++) {
            // The first turn draws what a single answer would.
            takeTurn(
                    policy,
                    open,
                    sampling,
                    turn == 0 ? seed : RandomKey.of(seed).child(turn).bits());
            react(open, policy.contextLength());
            open = open.stream().filter(dialogue -> !dialogue.ended()).toList();
        }
        return new Rollout(
                dialogues.stream()
                        .map(dialogue -> dialogue.trajectory(policy.tokenizer()))
                        .toList(),
                sampling.temperature());
    }

    private static void takeTurn(Policy policy, List<DialogueDraft> open, Sampling sampling, long seed) {
        List<Prompt> prompts = open.stream().map(DialogueDraft::asPrompt).toList();
        Answers turns = Answers.sample(policy, prompts, sampling, seed);
        for (int i = 0; i < open.size(); i++) {
            open.get(i).say(turns.completions().get(i), turns.exchanges().get(i).response());
        }
    }

    private void react(List<DialogueDraft> open, int contextLength) {
        List<DialogueState> states = open.stream().map(DialogueDraft::state).toList();
        List<Reaction> reactions = new ArrayList<>(environment.reactAll(states));
        if (reactions.size() != open.size()) {
            throw new IllegalStateException("the environment was given " + open.size() + " dialogues and returned "
                    + reactions.size() + " reactions; DialogueEnvironment.reactAll returns one for each, in order");
        }
        for (int i = 0; i < open.size(); i++) {
            open.get(i).hear(reactions.get(i), contextLength);
        }
    }

    @Override
    public double[][] tokenScores() {
        return RewardShaping.perTurn(
                dialogues.stream().map(DialogueDraft::turnRewards).toArray(double[][]::new),
                dialogues.stream().map(DialogueDraft::turnLengths).toArray(int[][]::new));
    }

    /** Nothing goes on after {@link #sample}. */
    @Override
    public void close() {}
}
