package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.DataDigest;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Supervised fine-tuning on demonstrations (Ouyang et al. 2022, §3.5): maximum likelihood of the assistant's tokens, each
 * turn's stop token included; what user and system say is context and has no gradient.
 *
 * <p>Metrics: {@code sft/loss} (nats per assistant token), {@code /learning_rate}, {@code /gradient_norm}, {@code /tokens}
 * (assistant tokens of the step); when evaluated, {@code /validation_loss} and {@code /validation_perplexity}.
 */
public final class SftTrainer extends LanguageModelTrainer {

    private static final Logger LOG = LoggerFactory.getLogger(SftTrainer.class);
    private static final String NAME = "sft";

    /** What a checkpoint must agree with to be resumed from. */
    private record Setup(SftConfig config, String demonstrations) {}

    /**
     * What became of the training demonstrations.
     *
     * @param used those that are trained on
     * @param truncated those among them whose end was cut off
     * @param dropped those that were left out because they are too long
     */
    public record Intake(int used, int truncated, int dropped) {}

    private final EncodedDemonstrations training;
    private final EpochOrder order;
    private final SftConfig config;

    /**
     * A run that has not begun.
     *
     * @param learner the model
     * @param format how conversations become tokens
     * @param training to learn from, at least one
     * @param heldOut to evaluate on, possibly empty
     * @throws IllegalArgumentException when there is nothing to train on, or a demonstration is too long and that is to be
     *     rejected
     */
    public SftTrainer(
            TokenLearner learner,
            ChatFormat format,
            List<Demonstration> training,
            List<Demonstration> heldOut,
            SftConfig config) {
        this(
                learner,
                EncodedDemonstrations.of("training", requireSome(training), format, config),
                EncodedDemonstrations.of("held-out", heldOut, format, config),
                config);
    }

    private SftTrainer(
            TokenLearner learner, EncodedDemonstrations training, EncodedDemonstrations heldOut, SftConfig config) {
        super(learner, job(training, heldOut, config));
        this.training = training;
        this.order = new EpochOrder(
                training.sequences().size(), RandomKey.of(config.seed()).child("order"));
        this.config = config;
        if (training.truncated() + training.dropped() > 0) {
            LOG.warn(
                    "of the demonstrations, {} are longer than the context of {} tokens and were cut, {} were left out;"
                            + " {} are trained on",
                    training.truncated(),
                    config.maxLength(),
                    training.dropped(),
                    training.sequences().size());
        }
    }

    private static Job job(EncodedDemonstrations training, EncodedDemonstrations heldOut, SftConfig config) {
        long examples = (long) config.epochs() * training.sequences().size();
        long steps = (examples + config.batchSize() - 1) / config.batchSize();
        return new Job(
                NAME,
                new Setup(config, DataDigest.ofSequences(training.sequences())),
                steps,
                config.learningRate().over(steps),
                config.microBatchTokens(),
                config.evaluateEvery(),
                heldOut.sequences(),
                0,
                config.zLoss(),
                config.seed());
    }

    private static List<Demonstration> requireSome(List<Demonstration> demonstrations) {
        if (demonstrations.isEmpty()) {
            throw new IllegalArgumentException("there is no demonstration to learn from; give at least one conversation"
                    + " that ends with an assistant message");
        }
        return demonstrations;
    }

    /** How many demonstrations are used, cut and left out. */
    public Intake intake() {
        return new Intake(training.sequences().size(), training.truncated(), training.dropped());
    }

    @Override
    List<ScoredSequence> batch(long step) {
        long first = step * config.batchSize();
        long end = Math.min(first + config.batchSize(), (long) config.epochs() * order.size());
        List<ScoredSequence> batch = new ArrayList<>(config.batchSize());
        for (long i = first; i < end; i++) {
            batch.add(training.sequences().get(order.at(i)));
        }
        return batch;
    }
}
