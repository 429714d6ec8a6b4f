package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.recipe.RunMonitor;
import io.github.rlhf4j.cli.recipe.Stage;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainingListener;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows a run: one line per stage and per logged step, and on a terminal a progress bar with rate and time left under them.
 */
final class Console implements RunMonitor, AutoCloseable {

    private static final int LINES_PER_STAGE = 20;
    private static final int METRICS_PER_LINE = 5;

    /** The first of them also starts threads and warms the JVM up, and would foretell hours. */
    private static final int STEPS_TO_TELL_PACE = 3;

    private static final String CLEAR_LINE = "\r\u001B[K";

    private final PrintWriter out;
    private final boolean terminal;
    private @Nullable ProgressBar bar;
    private long stageStart = System.nanoTime();

    Console(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** Whether output goes to a person: the launcher knows, otherwise the JVM's guess. */
    static boolean isTerminal() {
        String told = System.getProperty("rlhf.terminal");
        return told == null ? System.console() != null : Boolean.parseBoolean(told);
    }

    @Override
    public void onStage(Stage stage, String detail) {
        close();
        stageStart = System.nanoTime();
        line("== " + stage.label() + ": " + detail);
    }

    @Override
    public void onNote(String text) {
        line("   " + text);
    }

    @Override
    public TrainingListener listener(Stage stage) {
        return new TrainingListener() {
            private long firstStep;

            @Override
            public void onStart(Trainer trainer) {
                firstStep = trainer.stepsDone();
                stageStart = System.nanoTime();
                showBar(stage, trainer.stepsDone(), trainer.totalSteps());
            }

            @Override
            public boolean onStep(Trainer trainer, StepReport report) {
                showBar(stage, report.step(), report.totalSteps());
                long every = Math.max(1, report.totalSteps() / LINES_PER_STAGE);
                if (report.step() == 1 || report.step() % every == 0 || report.step() == report.totalSteps()) {
                    line(summary(report, firstStep));
                }
                return true;
            }
        };
    }

    @Override
    public void onProgress(Stage stage, int done, int total) {
        showBar(stage, done, total);
        if (!terminal) {
            line(String.format(Locale.ROOT, "   %s %d/%d%s", stage.label(), done, total, pace(done, total, 0)));
        }
    }

    private String summary(StepReport report, long firstStep) {
        String metrics = report.metrics().entrySet().stream()
                .filter(entry -> isHeadline(entry.getKey()))
                .limit(METRICS_PER_LINE)
                .map(Console::metric)
                .collect(Collectors.joining("  "));
        return String.format(
                Locale.ROOT,
                "   %s %d/%d  %s%s",
                report.stage(),
                report.step(),
                report.totalSteps(),
                metrics,
                pace(report.step(), report.totalSteps(), firstStep));
    }

    private static boolean isHeadline(String path) {
        return path.endsWith("loss") && !path.startsWith("ppo/")
                || path.endsWith("accuracy")
                || path.equals("objective/score")
                || path.equals("objective/kl")
                || path.equals("gold/share")
                || path.equals("ppo/clip_fraction");
    }

    private static String metric(Map.Entry<String, Double> entry) {
        return String.format(Locale.ROOT, "%s %.4g", entry.getKey(), entry.getValue());
    }

    /** Rate and time left, empty where there is too little to tell them from. */
    private String pace(long done, long total, long from) {
        if (done - from < STEPS_TO_TELL_PACE && done < total) {
            return "";
        }
        double seconds = (System.nanoTime() - stageStart) / 1e9;
        double rate = (done - from) / Math.max(1e-9, seconds);
        return done == total
                ? String.format(Locale.ROOT, "  (%.1f/s, took %s)", rate, duration(seconds))
                : String.format(Locale.ROOT, "  (%.1f/s, %s left)", rate, duration((total - done) / rate));
    }

    private static String duration(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60 ? whole + " s" : whole / 60 + " min " + whole % 60 + " s";
    }

    private void showBar(Stage stage, long done, long total) {
        if (!terminal) {
            return;
        }
        ProgressBar shown = bar;
        if (shown == null) {
            shown = new ProgressBarBuilder()
                    .setTaskName(stage.label())
                    .setInitialMax(total)
                    .setStyle(ProgressBarStyle.ASCII)
                    .showSpeed()
                    .startsFrom(done, java.time.Duration.ZERO)
                    .build();
            bar = shown;
        }
        shown.stepTo(done);
    }

    /** Prints a line; a bar is drawn again under it. */
    void line(String text) {
        out.println(bar == null ? text : CLEAR_LINE + text);
        out.flush();
    }

    @Override
    public void close() {
        ProgressBar shown = bar;
        if (shown != null) {
            shown.close();
            bar = null;
        }
    }
}
