package io.github.rlhf4j.cli.recipe;

import java.util.Locale;

/** What the supervised policy can be optimised by. */
public enum Algorithm {
    /** PPO with a value function (Schulman et al. 2017; Ouyang et al. 2022). */
    PPO(Kind.ACTOR_CRITIC),
    /** Shao et al. 2024: groups of answers in place of a value function, the KL in the loss. */
    GRPO(Kind.GROUPS),
    /** Liu et al. 2025: GRPO without its divisions. */
    DR_GRPO(Kind.GROUPS),
    /** Yu et al. 2025: clip-higher, dynamic sampling, soft overlong punishment. */
    DAPO(Kind.GROUPS),
    /** Zheng et al. 2025: ratios of sequences. */
    GSPO(Kind.GROUPS),
    /** MiniMax 2025: clipped importance weights. */
    CISPO(Kind.GROUPS),
    /** Ahmadian et al. 2024: REINFORCE with the other answers' mean as baseline. */
    RLOO(Kind.GROUPS),
    /** Williams 1992, with the mean of all other answers as baseline. */
    REINFORCE(Kind.GROUPS),
    /** Hu et al. 2025. */
    REINFORCE_PLUS_PLUS(Kind.GROUPS),
    /** Dong et al. 2023: likelihood of the best of a group. */
    RAFT(Kind.GROUPS),
    /** Guo et al. 2024: DPO on pairs of own answers that the reward model judges. */
    ONLINE_DPO(Kind.ONLINE_PAIRS),
    /** Rafailov et al. 2023: from the comparisons, without the reward model. */
    DPO(Kind.COMPARISONS),
    /** Azar et al. 2024: squared distance to a margin, from the comparisons. */
    IPO(Kind.COMPARISONS),
    /** A hinge on implicit rewards (Liu et al. 2023), from the comparisons. */
    HINGE(Kind.COMPARISONS),
    /** Mitchell 2023: DPO that allows for mistakes in the comparisons, smoothed. */
    CONSERVATIVE_DPO(Kind.COMPARISONS),
    /** Chowdhury et al. 2024: DPO that allows for mistakes, unbiased. */
    ROBUST_DPO(Kind.COMPARISONS),
    /** Zhao et al. 2023, without a reference. */
    SLIC(Kind.COMPARISONS),
    /** D'Oosterlinck et al. 2024: chosen up, rejected down. */
    APO_ZERO(Kind.COMPARISONS),
    /** D'Oosterlinck et al. 2024: both down, rejected more. */
    APO_DOWN(Kind.COMPARISONS),
    /** Chen et al. 2024. */
    NCA(Kind.COMPARISONS),
    /** Wu et al. 2024. */
    SPPO(Kind.COMPARISONS),
    /** Jung et al. 2024. */
    BCO(Kind.COMPARISONS),
    /** Hong et al. 2024: odds ratios beside the likelihood, without a reference. */
    ORPO(Kind.COMPARISONS),
    /** Meng et al. 2024: mean log-probs, without a reference. */
    SIMPO(Kind.COMPARISONS),
    /** Xu et al. 2024, without a reference. */
    CPO(Kind.COMPARISONS),
    /** Ethayarajh et al. 2024: from answers that are good or bad by themselves, here the best and the worst of each ranking. */
    KTO(Kind.COMPARISONS);

    /** What an algorithm learns from. */
    enum Kind {
        /** Rollouts, with a value function. */
        ACTOR_CRITIC,
        /** Rollouts of several answers to a prompt. */
        GROUPS,
        /** Pairs of rollouts. */
        ONLINE_PAIRS,
        /** Comparisons that were made before. */
        COMPARISONS
    }

    private final Kind kind;

    Algorithm(Kind kind) {
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }

    /** Name in files and metrics. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Name for people: {@code Dr. GRPO}, {@code REINFORCE++}. */
    public String title() {
        return switch (this) {
            case DR_GRPO -> "Dr. GRPO";
            case REINFORCE_PLUS_PLUS -> "REINFORCE++";
            case ONLINE_DPO -> "online DPO";
            case HINGE -> "hinge";
            case CONSERVATIVE_DPO -> "conservative DPO";
            case ROBUST_DPO -> "robust DPO";
            case SLIC -> "SLiC";
            case APO_ZERO -> "APO-zero";
            case APO_DOWN -> "APO-down";
            case SIMPO -> "SimPO";
            default -> name();
        };
    }
}
