package io.github.rlhf4j.core.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one stage of a run, {@code root/step-00000120} and so on, of which the last few are kept.
 */
public final class CheckpointSeries {

    private static final Logger LOG = LoggerFactory.getLogger(CheckpointSeries.class);

    /** A checkpoint, or one that a cut-off write has set aside. */
    private static final Pattern NAME = Pattern.compile("step-(\\d{8,18})|\\.step-(\\d{8,18})\\.old");

    private final Path root;
    private final int keep;

    /**
     * @param root directory of the series; made on the first save
     * @param keep how many checkpoints to keep, ≥ 1
     */
    public CheckpointSeries(Path root, int keep) {
        if (keep < 1) {
            throw new IllegalArgumentException("a series must keep at least one checkpoint, got keep = " + keep);
        }
        this.root = root.toAbsolutePath().normalize();
        this.keep = keep;
    }

    public Path root() {
        return root;
    }

    /** Where the checkpoint after this many steps lies, whether or not it is there. */
    public Path directoryOf(long stepsDone) {
        return root.resolve(String.format(java.util.Locale.ROOT, "step-%08d", stepsDone));
    }

    /**
     * Saves a trainer, then deletes what is older than the {@code keep} last ones. Checkpoints of later steps, which a run
     * resumed from an earlier one has abandoned, are deleted too, so that {@link #latest} is always of this run.
     *
     * @return the checkpoint's directory
     * @throws IOException when it cannot be written; the earlier checkpoints are then all still there
     */
    public Path save(Trainer trainer) throws IOException {
        long step = trainer.stepsDone();
        Path directory = directoryOf(step);
        trainer.save(directory);
        prune(step);
        return directory;
    }

    /** The checkpoint with the most steps, or empty when there is none; whatever a crash left half-done is passed over. */
    public Optional<Path> latest() throws IOException {
        TreeMap<Long, Path> all = list();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.lastEntry().getValue());
    }

    private void prune(long newest) throws IOException {
        TreeMap<Long, Path> all = list();
        for (Path abandoned : all.tailMap(newest, false).values()) {
            LOG.warn("deleting {}: it is of a run that was resumed from before it", abandoned);
            Checkpoints.delete(abandoned);
        }
        TreeMap<Long, Path> ours = new TreeMap<>(all.headMap(newest, true));
        while (ours.size() > keep) {
            Checkpoints.delete(ours.pollFirstEntry().getValue());
        }
    }

    private TreeMap<Long, Path> list() throws IOException {
        TreeMap<Long, Path> found = new TreeMap<>();
        if (!Files.isDirectory(root)) {
            return found;
        }
        try (var entries = Files.newDirectoryStream(root)) {
            for (Path entry : entries) {
                Matcher name = NAME.matcher(entry.getFileName().toString());
                if (name.matches()) {
                    long step = Long.parseLong(name.group(1) != null ? name.group(1) : name.group(2));
                    Path directory = directoryOf(step);
                    Checkpoints.recover(directory);
                    if (Checkpoints.isComplete(directory)) {
                        found.put(step, directory);
                    }
                }
            }
        }
        return found;
    }
}
