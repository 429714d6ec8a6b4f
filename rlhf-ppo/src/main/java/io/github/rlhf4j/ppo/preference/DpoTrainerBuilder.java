package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link DpoTrainer}: settings, policy, format, and preferences or judgements are needed. */
public final class DpoTrainerBuilder {

    private @Nullable DpoConfig config;
    private @Nullable TrainablePolicy policy;
    private @Nullable Policy reference;
    private @Nullable ChatFormat format;
    private @Nullable PreferenceDataset preferences;
    private @Nullable PreferenceDataset heldOut;
    private @Nullable List<JudgedExchange> judgements;

    DpoTrainerBuilder() {}

    public DpoTrainerBuilder config(DpoConfig settings) {
        config = settings;
        return this;
    }

    /** The policy that is trained. */
    public DpoTrainerBuilder policy(TrainablePolicy trained) {
        policy = trained;
        return this;
    }

    /**
     * The frozen policy whose log-probs are subtracted. Without this call it is the policy as it is before its first
     * update, which has to score in advance then; a loss without reference never asks it.
     */
    public DpoTrainerBuilder reference(Policy frozen) {
        reference = frozen;
        return this;
    }

    /** How conversations become tokens. */
    public DpoTrainerBuilder format(ChatFormat chatFormat) {
        format = chatFormat;
        return this;
    }

    /**
     * What to learn from. A ranking of K responses is its strict comparisons, each a pair; for KTO its best responses are
     * desirable and its worst undesirable.
     */
    public DpoTrainerBuilder preferences(PreferenceDataset rankings) {
        preferences = rankings;
        return this;
    }

    /** What KTO learns from, in place of preferences: responses that were judged one at a time. */
    public DpoTrainerBuilder judgements(List<JudgedExchange> judged) {
        judgements = judged;
        return this;
    }

    /** Preferences to evaluate on and never to train on. */
    public DpoTrainerBuilder heldOut(PreferenceDataset rankings) {
        heldOut = rankings;
        return this;
    }

    /**
     * The trainer. All data is read now, so that what is wrong with it is found before the first update.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together, or naming the ranking that has no winner or the
     *     response that is too long
     */
    public DpoTrainer build() {
        DpoConfig settings = required("config", config);
        TrainablePolicy trained = required("policy", policy);
        return new DpoTrainer(new DpoParts(
                settings,
                trained,
                reference,
                training(settings, trained),
                heldOut == null ? Examples.NONE : read("held-out", heldOut, settings, trained)));
    }

    private Examples training(DpoConfig settings, TrainablePolicy trained) {
        if (judgements == null) {
            return read("training", required("preferences", preferences), settings, trained);
        }
        if (preferences != null || !(settings.loss() instanceof KtoLoss)) {
            throw new IllegalStateException(
                    "judgements(…) stand in place of preferences(…), and only KTO learns from them;" + " the loss is "
                            + settings.loss() + (preferences == null ? "" : ", and preferences were given too"));
        }
        return reader("training", settings, trained).judged(judgements);
    }

    private Examples read(String use, PreferenceDataset rankings, DpoConfig settings, TrainablePolicy trained) {
        ExampleReader reader = reader(use, settings, trained);
        return settings.loss() instanceof KtoLoss ? reader.bestAndWorst(rankings) : reader.pairs(rankings);
    }

    private ExampleReader reader(String use, DpoConfig settings, TrainablePolicy trained) {
        return new ExampleReader(use, required("format", format), trained.contextLength(), settings.tooLong());
    }

    private static <T> T required(String name, @Nullable T part) {
        if (part == null) {
            throw new IllegalStateException(
                    "training on preferences needs a " + name + "; call " + name + "(…) before build()");
        }
        return part;
    }
}
