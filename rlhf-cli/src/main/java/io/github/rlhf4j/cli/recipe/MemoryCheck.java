package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.transformer.MemoryEstimate;
import io.github.rlhf4j.transformer.MemoryLimit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
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
     * Refuses a run of stages that will not fit with a margin of {@link #MARGIN}, once for all of them: by the stage that
     * takes the most native memory and the one that takes the most heap.
     *
     * @throws InputException saying what these need, what there is, what to lower (first what leaves the model as it is), and
     *     the limits that suffice for all the stages
     */
    void requireFits(List<Stage> of) {
        List<Part> lacking =
                parts().stream().filter(part -> !part.fits(stages, of)).toList();
        if (lacking.isEmpty()) {
            return;
        }
        throw new InputException(lacking.stream().map(part -> need(part, of)).collect(Collectors.joining(" And "))
                + (oneSettingSuffices(of) ? "" : " No single setting suffices.")
                + " Or allow more, where the machine has it, enough for "
                + (of.size() == 1 ? "this stage: " : "all stages: ")
                + lacking.stream()
                        .map(part -> part.variable() + "=" + wholeGibibytes(part.needed(stages, of)) + "g")
                        .collect(Collectors.joining(" "))
                + " in the environment of rlhf");
    }

    /** One of the two kinds of memory. */
    private record Part(
            String name,
            String variable,
            MemoryLimit limit,
            ToLongFunction<MemoryEstimate> bytes,
            Function<MemoryEstimate, String> describe) {

        Stage worst(StageMemory stages, List<Stage> of) {
            return of.stream()
                    .max(Comparator.comparingLong(stage -> bytes.applyAsLong(stages.of(stage))))
                    .orElseThrow();
        }

        /** Of the stage that needs the most, with the margin; 0 of no stage. */
        long needed(StageMemory stages, List<Stage> of) {
            return of.isEmpty() ? 0 : withMargin(bytes.applyAsLong(stages.of(worst(stages, of))));
        }

        boolean fits(StageMemory stages, List<Stage> of) {
            return needed(stages, of) <= limit.bytes();
        }
    }

    private List<Part> parts() {
        return List.of(
                new Part(
                        "native memory",
                        "RLHF_MEMORY",
                        offHeap,
                        MemoryEstimate::offHeap,
                        MemoryEstimate::describeOffHeap),
                new Part("heap", "RLHF_HEAP", onHeap, MemoryEstimate::onHeap, MemoryEstimate::describeOnHeap));
    }

    private String need(Part part, List<Stage> of) {
        Stage worst = part.worst(stages, of);
        return worst.label() + " needs about " + size(part.needed(stages, of)) + " of " + part.name() + " ("
                + part.describe().apply(stages.of(worst)) + ", and a margin of " + Math.round(100 * (MARGIN - 1))
                + " %) and may take " + size(part.limit().bytes()) + ", by "
                + part.limit().reason()
                + ". Need less, what saves most first; the same model learns by: "
                + remedies(part, of, MemoryCheck::keepsModel)
                + "; another by: " + remedies(part, of, setting -> !keepsModel(setting)) + ".";
    }

    private static long withMargin(long foretold) {
        return (long) Math.ceil(MARGIN * foretold);
    }

    private static long wholeGibibytes(long bytes) {
        return (long) Math.ceil(bytes / GIBIBYTE);
    }

    private record Remedy(String setting, long needed) {}

    private static boolean keepsModel(String setting) {
        return setting.startsWith("memory.");
    }

    /** With what the run needs then. None that is worth naming: "nothing". */
    private String remedies(Part part, List<Stage> of, Predicate<String> among) {
        long needed = part.needed(stages, of);
        String named = settings(of).stream()
                .filter(among)
                .flatMap(
                        setting -> with(setting).map(changed -> new Remedy(setting, part.needed(changed, of))).stream())
                .filter(remedy -> remedy.needed() < (1 - WORTH_NAMING) * needed)
                .sorted(Comparator.comparingLong(Remedy::needed))
                .map(remedy -> remedy.setting() + " (" + size(remedy.needed()) + ")")
                .collect(Collectors.joining(", "));
        return named.isEmpty() ? "nothing" : named;
    }

    private boolean oneSettingSuffices(List<Stage> of) {
        return settings(of).stream().flatMap(setting -> with(setting).stream()).anyMatch(changed -> parts().stream()
                .allMatch(part -> part.fits(changed, of)));
    }

    /** Empty where another setting forbids it. */
    private Optional<StageMemory> with(String setting) {
        String[] keyAndValue = setting.split("=");
        try {
            return Optional.of(new StageMemory(
                    ConfigFiles.set(stages.config(), keyAndValue[0], keyAndValue[1]),
                    stages.responses(),
                    stages.base()));
        } catch (InputException e) {
            return Optional.empty();
        }
    }

    /** The least micro-batch, recomputation, and half of everything else that may matter. */
    private List<String> settings(List<Stage> of) {
        RecipeConfig config = stages.config();
        RecipeConfig.Model model = config.model();
        List<String> settings = new ArrayList<>(List.of(
                "memory.microBatchTokens=" + model.context(),
                "memory.recompute=true",
                "model.context=" + model.context() / 2));
        if (stages.base() == null) {
            settings.add("model.layers=" + model.layers() / 2);
            settings.add("model.width=" + Math.max(1, model.width() / model.heads() / 2) * model.heads());
            settings.add("model.vocabulary=" + model.vocabulary() / 2);
        }
        if (!config.lora().isUsed()) {
            settings.add("lora.rank=16");
        } else if (!config.lora().int8()) {
            settings.add("lora.int8=true");
        }
        for (Stage stage : of) {
            switch (stage) {
                case PRETRAINING ->
                    settings.add("pretraining.batch=" + config.pretraining().batch() / 2);
                case SFT -> settings.add("sft.batch=" + config.sft().batch() / 2);
                case REWARD -> settings.add("reward.batch=" + config.reward().batch() / 2);
                case PPO -> settings.add("ppo.minibatch=" + config.ppo().minibatch() / 2);
                case TOKENIZER, COMPARISONS, EVALUATION -> {}
            }
        }
        return settings;
    }

    private static String size(long bytes) {
        return bytes < GIBIBYTE
                ? String.format(Locale.ROOT, "%.0f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / GIBIBYTE);
    }
}
