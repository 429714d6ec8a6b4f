package io.github.rlhf4j.cli.recipe;

import java.util.List;

/** The stages of the recipe, in their order. */
public enum Stage {
    TOKENIZER("tokenizer", "tokenizer"),
    PRETRAINING("pretraining", "pretrain"),
    SFT("sft", "sft"),
    COMPARISONS("comparisons", "compare"),
    REWARD("reward", "reward"),
    PPO("ppo", "ppo"),
    EVALUATION("evaluation", "evaluate");

    private final String label;
    private final String command;

    Stage(String label, String command) {
        this.label = label;
        this.command = command;
    }

    /** Name in files and reports. */
    public String label() {
        return label;
    }

    /** The command that runs this stage alone. */
    public String command() {
        return command;
    }

    /** Whether this stage, stopped, goes on from its last step; the others begin again. */
    boolean resumes() {
        return switch (this) {
            case PRETRAINING, SFT, REWARD, PPO -> true;
            case TOKENIZER, COMPARISONS, EVALUATION -> false;
        };
    }

    /** The stages before this one, in order. */
    public List<Stage> before() {
        return List.of(values()).subList(0, ordinal());
    }

    /** The stages whose output this one reads, in order, where policies are optimised by these algorithms. */
    List<Stage> needs(List<Algorithm> algorithms) {
        if (this != PPO) {
            return before();
        }
        boolean comparisons = algorithms.stream().anyMatch(algorithm -> algorithm.kind() == Algorithm.Kind.COMPARISONS);
        boolean reward = algorithms.stream().anyMatch(algorithm -> algorithm.kind() != Algorithm.Kind.COMPARISONS);
        return before().stream()
                .filter(stage -> (stage != COMPARISONS || comparisons) && (stage != REWARD || reward))
                .toList();
    }
}
