package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.training.RunReport;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainingListener;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.PretrainingTrainer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * nanoGPT's CPU setting for character-level Shakespeare, whose README publishes a validation loss of about 1.88 after 2,000
 * steps: 4 layers, 4 heads, width 128, windows of 64 characters, 12 to a batch, no dropout, Adam's β₂ 0.99, weight decay 0.1,
 * clipping at 1, rate 1e-3 down to 1e-4 by a cosine after 100 steps of warm-up.
 *
 * <p>Two things differ. This model has biases; nanoGPT's has none by default. And nanoGPT estimates the loss on random
 * windows (20 batches in this setting), while here it is that of the whole held-out tenth, in consecutive windows of 64: each
 * of its characters is predicted once, from 1 to 64 before it.
 */
public final class ShakespeareBenchmark {

    /** Validation loss that nanoGPT's README publishes for this setting, nats per character. */
    public static final double PUBLISHED_LOSS = 1.88;

    private static final double TRAINING_SHARE = 0.9;
    private static final int LOG_EVERY = 50;

    /**
     * A measurement on the held-out text.
     *
     * @param loss nats per character
     */
    public record Point(long step, double loss) {}

    /**
     * A whole run.
     *
     * @param curve losses on held-out text, the last that of the finished model
     */
    public record Result(List<Point> curve, Duration wallTime) {

        public Result {
            curve = List.copyOf(curve);
        }

        public double finalLoss() {
            return curve.get(curve.size() - 1).loss();
        }
    }

    private ShakespeareBenchmark() {}

    /**
     * Runs it and prints the curve.
     *
     * @param args the text file, or nothing for {@code ../shared/data/tinyshakespeare/input.txt}
     */
    public static void main(String[] args) throws IOException {
        Path text = Path.of(args.length > 0 ? args[0] : "../shared/data/tinyshakespeare/input.txt");
        if (args.length > 1 || !Files.isRegularFile(text)) {
            System.err.println("usage: ShakespeareBenchmark [TEXT]\n"
                    + text.toAbsolutePath().normalize()
                    + (Files.exists(text) ? " was given among " + args.length + " arguments" : " is not there")
                    + "; give the path of tinyshakespeare's input.txt (1,115,394 characters, from karpathy/char-rnn)");
            System.exit(2);
        }
        run(Files.readString(text), System.out);
    }

    /** Trains on the first nine tenths of a text, evaluates on the last, and prints what it sees. */
    public static Result run(String text, PrintStream out) {
        int split = (int) (text.length() * TRAINING_SHARE);
        CharacterTokenizer tokenizer = CharacterTokenizer.fromTexts(List.of(text));
        PackedDocuments training = PackedDocuments.of(tokenizer, List.of(text.substring(0, split)));
        PackedDocuments heldOut = PackedDocuments.of(tokenizer, List.of(text.substring(split)));
        PretrainingConfig settings = PretrainingConfig.nanoGptShakespeare().withEvaluation(250, 0);
        TransformerConfig shape = TransformerConfig.gpt2(tokenizer.vocabularySize(), settings.blockLength(), 128, 4, 4);
        AdamWConfig optimizer = AdamWConfig.gpt3().withBeta2(0.99);
        try (TransformerPolicy model = TransformerPolicy.create(shape, tokenizer, optimizer, settings.seed());
                PretrainingTrainer trainer = new PretrainingTrainer(model, training, heldOut, settings)) {
            out.printf("%s%n%s%n", shape, settings);
            out.printf(
                    "%,d characters to learn from, %,d held out, %d different%n",
                    training.length(), heldOut.length(), tokenizer.vocabularySize());
            Curve curve = new Curve(out);
            RunReport report = trainer.run(curve);
            Result result = new Result(curve.points, report.wallTime());
            out.printf(
                    Locale.ROOT,
                    "validation loss %.4f on the whole held-out text (published: about %.2f) in %d s%n",
                    result.finalLoss(),
                    PUBLISHED_LOSS,
                    result.wallTime().toSeconds());
            return result;
        }
    }

    /** Prints the curve and keeps it. */
    private static final class Curve implements TrainingListener {

        private final PrintStream out;
        private final List<Point> points = new ArrayList<>();
        private long start;

        Curve(PrintStream out) {
            this.out = out;
        }

        @Override
        public void onStart(Trainer trainer) {
            start = System.nanoTime();
        }

        @Override
        public boolean onStep(Trainer trainer, StepReport report) {
            Double heldOut = report.metrics().get("pretraining/validation_loss");
            if (heldOut != null) {
                points.add(new Point(report.step(), heldOut));
            }
            if (heldOut != null || report.step() % LOG_EVERY == 0) {
                out.printf(
                        Locale.ROOT,
                        "step %4d  training loss %.4f%s  %d s%n",
                        report.step(),
                        report.metric("pretraining/loss"),
                        heldOut == null ? "" : String.format(Locale.ROOT, "  validation loss %.4f", heldOut),
                        Duration.ofNanos(System.nanoTime() - start).toSeconds());
            }
            return true;
        }
    }
}
