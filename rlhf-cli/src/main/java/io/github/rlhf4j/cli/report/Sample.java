package io.github.rlhf4j.cli.report;

/**
 * One prompt answered by the supervised model and by the one after PPO: a line of {@code samples.jsonl}.
 *
 * @param rewardBefore the learned reward of {@code before}
 * @param rewardAfter the learned reward of {@code after}
 * @param goldBefore the hidden taste's score of {@code before}, in [0, 1]; NaN without a hidden taste
 * @param goldAfter the hidden taste's score of {@code after}
 */
public record Sample(
        String prompt,
        String before,
        String after,
        double rewardBefore,
        double rewardAfter,
        double goldBefore,
        double goldAfter) {}
