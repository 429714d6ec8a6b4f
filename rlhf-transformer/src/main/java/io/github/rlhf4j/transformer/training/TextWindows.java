package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;

/** Windows of a token stream, of {@code blockLength + 1} tokens each, all but the first predicted. */
final class TextWindows {

    private final PackedDocuments text;
    private final int blockLength;
    private final RandomKey key;

    /** Windows of which each epoch has as many as fit, one after the other, beginning at the epoch's own offset. */
    private final EpochOrder epochs;

    TextWindows(String what, PackedDocuments text, int blockLength, RandomKey key) {
        if (text.length() < blockLength + 1) {
            throw new IllegalArgumentException("the " + what + " text has " + text.length() + " tokens, fewer than one"
                    + " window of blockLength + 1 = " + (blockLength + 1)
                    + "; use more text or a smaller blockLength");
        }
        this.text = text;
        this.blockLength = blockLength;
        this.key = key;
        this.epochs = new EpochOrder((text.length() - 1) / blockLength, key.child("order"));
    }

    /** Windows of an epoch. */
    int perEpoch() {
        return epochs.size();
    }

    /** The window that is drawn as the {@code index}-th of the run. */
    ScoredSequence draw(PretrainingConfig.WindowOrder order, long index) {
        return window(
                switch (order) {
                    case RANDOM_OFFSETS -> key.child("start").child(index).below(text.length() - blockLength);
                    case SHUFFLED_EPOCHS -> offset(epochs.epoch(index)) + epochs.at(index) * blockLength;
                });
    }

    /** What does not fill a window is left out at a random end, so that no token is left out of every epoch. */
    private int offset(long epoch) {
        int spare = (text.length() - 1) % blockLength;
        return key.child("offset").child(epoch).below(spare + 1);
    }

    /** At most {@code most} (0: all) windows from the beginning to the end of the text, evenly spaced. */
    List<ScoredSequence> evenlySpaced(int most) {
        int all = epochs.size();
        int count = most == 0 ? all : Math.min(most, all);
        List<ScoredSequence> windows = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            windows.add(window((int) ((long) i * all / count) * blockLength));
        }
        return windows;
    }

    private ScoredSequence window(int start) {
        return ScoredSequence.ofText(text.slice(start, start + blockLength + 1));
    }
}
