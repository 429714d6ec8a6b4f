package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.transformer.MemoryEstimate;
import io.github.rlhf4j.transformer.MemoryLimit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * The memory of stages beside what they may take: a line that says so, or a refusal that says what to lower.
 *
 * @param offHeap limit of native memory, where the tensors live
 * @param onHeap limit of Java's heap, of which {@link MemoryEstimate#onHeap()} is the part that is known
 */
record MemoryCheck(StageMemory stages, MemoryLimit offHeap, MemoryLimit onHeap) {

    /** What saves less than this share of a stage's memory is not worth naming. */
    private static final double WORTH_NAMING = 0.02;

    private static final double GIBIBYTE = 0x1p30;

    /**
     * What a stage must find room for, as a multiple of what is foretold, so that one that passes does not die on its way.
     * Buffers of libraries and files are not foretold: processes grew by at most 80 MiB more than was, whether that was
     * 190 MiB or 1 GiB (docs/memory.md), which a fifth covers from 400 MiB on.
     */
    static final double MARGIN = 1.2;

    /** Against what this process may take. */
    static MemoryCheck ofProcess(StageMemory stages) {
        return new MemoryCheck(
                stages,
                MemoryLimit.ofTensors(),
                new MemoryLimit(Runtime.getRuntime().maxMemory(), "-Xmx"));
    }

    /** Such as "memory: about 310 MiB of 3.0 GiB native for sft (weights 20 MiB, …)", and the heap where it is used. */
    String line(Stage stage) {
        MemoryEstimate estimate = stages.of(stage);
        String line = "memory: about " + size(estimate.offHeap()) + " of " + size(offHeap.bytes()) + " native for "
                + stage.label() + " (" + estimate.describeOffHeap() + ")";
        return estimate.onHeap() == 0
                ? line
                : line + "; about " + size(estimate.onHeap()) + " of " + size(onHeap.bytes())
                        + " heap besides the data (" + estimate.describeOnHeap() + ")";
    }

    /** The stage that takes the most native memory. */
    Stage largest(List<Stage> of) {
        return of.stream()
                .max(Comparator.comparingLong(stage -> stages.of(stage).offHeap()))
                .orElseThrow();
    }

    /**
     * Refuses a stage that will not fit with a margin of {@link #MARGIN}.
     *
     * @throws InputException saying what it needs, what there is, and what to lower: first what leaves the model as it is
     */
    void requireFits(Stage stage) {
        requireFits(stage, MemoryEstimate::offHeap, offHeap, "native memory", "RLHF_MEMORY");
        requireFits(stage, MemoryEstimate::onHeap, onHeap, "heap", "RLHF_HEAP");
    }

    private void requireFits(
            Stage stage, ToLongFunction<MemoryEstimate> part, MemoryLimit limit, String memory, String variable) {
        MemoryEstimate estimate = stages.of(stage);
        long needed = withMargin(part.applyAsLong(estimate));
        if (needed <= limit.bytes()) {
            return;
        }
        String parts = memory.equals("heap") ? estimate.describeOnHeap() : estimate.describeOffHeap();
        throw new InputException(stage.label() + " needs about " + size(needed) + " of " + memory + " (" + parts
                + ", and a margin of " + Math.round(100 * (MARGIN - 1)) + " %) and may take " + size(limit.bytes())
                + ", by " + limit.reason()
                + ". Need less, what saves most first; the same model learns by: "
                + remedies(stage, part, MemoryCheck::keepsModel)
                + "; another by: " + remedies(stage, part, setting -> !keepsModel(setting))
                + ". Or allow more, where the machine has it: "
                + variable + "=" + (long) Math.ceil(needed / GIBIBYTE) + "g in the environment of rlhf");
    }

    private static long withMargin(long foretold) {
        return (long) Math.ceil(MARGIN * foretold);
    }

    private record Remedy(String setting, long needed) {}

    private static boolean keepsModel(String setting) {
        return setting.startsWith("memory.");
    }

    /** None that is worth naming: "nothing". */
    private String remedies(Stage stage, ToLongFunction<MemoryEstimate> part, Predicate<String> among) {
        long needed = withMargin(part.applyAsLong(stages.of(stage)));
        List<Remedy> remedies = new ArrayList<>();
        for (String setting : settings(stage).stream().filter(among).toList()) {
            String[] keyAndValue = setting.split("=");
            try {
                RecipeConfig changed = ConfigFiles.set(stages.config(), keyAndValue[0], keyAndValue[1]);
                long then = part.applyAsLong(new StageMemory(changed, stages.responses()).of(stage));
                remedies.add(new Remedy(setting, withMargin(then)));
            } catch (InputException e) {
                continue; // another setting forbids it
            }
        }
        String named = remedies.stream()
                .filter(remedy -> remedy.needed() < (1 - WORTH_NAMING) * needed)
                .sorted(Comparator.comparingLong(Remedy::needed))
                .map(remedy -> remedy.setting() + " (" + size(remedy.needed()) + ")")
                .collect(Collectors.joining(", "));
        return named.isEmpty() ? "nothing" : named;
    }

    /** The least micro-batch, recomputation, and half of everything else that may matter. */
    private List<String> settings(Stage stage) {
        RecipeConfig config = stages.config();
        RecipeConfig.Model model = config.model();
        List<String> settings = new ArrayList<>(List.of(
                "memory.microBatchTokens=" + model.context(),
                "memory.recompute=true",
                "model.context=" + model.context() / 2,
                "model.layers=" + model.layers() / 2,
                "model.width=" + Math.max(1, model.width() / model.heads() / 2) * model.heads(),
                "model.vocabulary=" + model.vocabulary() / 2));
        switch (stage) {
            case PRETRAINING ->
                settings.add("pretraining.batch=" + config.pretraining().batch() / 2);
            case SFT -> settings.add("sft.batch=" + config.sft().batch() / 2);
            case REWARD -> settings.add("reward.batch=" + config.reward().batch() / 2);
            case PPO -> settings.add("ppo.minibatch=" + config.ppo().minibatch() / 2);
            case TOKENIZER, COMPARISONS, EVALUATION -> {}
        }
        return settings;
    }

    private static String size(long bytes) {
        return bytes < GIBIBYTE
                ? String.format(Locale.ROOT, "%.0f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / GIBIBYTE);
    }
}
