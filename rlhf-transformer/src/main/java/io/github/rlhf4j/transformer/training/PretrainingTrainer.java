package io.github.rlhf4j.transformer.training;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Generative pretraining: predicts the next token of text (Radford et al. 2018, §3.1). Windows of the packed documents may
 * begin and end anywhere, and hold several documents.
 *
 * <p>Metrics: {@code pretraining/loss} (nats per token), {@code /learning_rate}, {@code /gradient_norm}, {@code /tokens} (of
 * the step); when evaluated, {@code /validation_loss}, {@code /validation_perplexity} and, where the text's bytes are known,
 * {@code /validation_bits_per_byte}.
 */
public final class PretrainingTrainer extends LanguageModelTrainer {

    private static final String NAME = "pretraining";

    /** What a checkpoint must agree with to be resumed from. */
    private record Setup(PretrainingConfig config, String trainingText) {}

    private final TextWindows windows;
    private final PretrainingConfig config;

    /**
     * A run that has not begun.
     *
     * @param learner the model
     * @param training text to learn from, encoded with the model's tokenizer
     * @param heldOut text to evaluate on, or null for none
     * @throws IllegalArgumentException when a text has fewer tokens than one window
     */
    public PretrainingTrainer(
            TokenLearner learner,
            PackedDocuments training,
            @Nullable PackedDocuments heldOut,
            PretrainingConfig config) {
        this(learner, windows("training", training, config), heldOut, config, new Setup(config, digest(training)));
    }

    private PretrainingTrainer(
            TokenLearner learner,
            TextWindows windows,
            @Nullable PackedDocuments heldOut,
            PretrainingConfig config,
            Setup setup) {
        super(
                learner,
                new Job(
                        NAME,
                        setup,
                        config.steps(),
                        config.learningRate().over(config.steps()),
                        config.microBatchTokens(),
                        config.evaluateEvery(),
                        heldOut == null
                                ? List.of()
                                : windows("held-out", heldOut, config).evenlySpaced(config.evaluationWindows()),
                        heldOut == null ? 0 : (double) heldOut.bytes() / heldOut.length(),
                        config.zLoss(),
                        config.seed()));
        this.windows = windows;
        this.config = config;
    }

    private static TextWindows windows(String what, PackedDocuments text, PretrainingConfig config) {
        return new TextWindows(
                what, text, config.blockLength(), RandomKey.of(config.seed()).child("windows"));
    }

    private static String digest(PackedDocuments text) {
        Hasher hasher = Hashing.sha256().newHasher();
        text.tokens().forEach(hasher::putInt);
        return hasher.hash().toString();
    }

    /** Windows that predict each token of the training text once: steps per epoch, times the batch size. */
    public int windowsPerEpoch() {
        return windows.perEpoch();
    }

    @Override
    List<ScoredSequence> batch(long step) {
        List<ScoredSequence> batch = new ArrayList<>(config.batchSize());
        for (int i = 0; i < config.batchSize(); i++) {
            batch.add(windows.draw(config.order(), step * config.batchSize() + i));
        }
        return batch;
    }
}
