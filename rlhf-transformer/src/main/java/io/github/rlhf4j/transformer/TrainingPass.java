package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.Arena;
import java.util.function.Supplier;

/**
 * The life of one pass that goes backward: it holds memory of the training arena until it is closed, and it goes backward
 * once. A pass that fails leaves nothing behind: its memory is given back, and the gradients that were added up since the
 * last update are discarded, because half a gradient is none.
 */
final class TrainingPass implements AutoCloseable {

    private final ModelCore core;
    private final Arena.Mark mark;
    private boolean wentBackward;
    private boolean closed;

    TrainingPass(ModelCore core) {
        this.core = core;
        this.mark = core.trainingArena().mark();
    }

    /** Runs the forward half, whose memory stays until {@link #close}; when it throws, the pass is closed. */
    <T> T forward(Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException | Error e) {
            close();
            core.discardGradients();
            throw e;
        }
    }

    /**
     * Runs the backward half and gives its memory back.
     *
     * @throws IllegalStateException on a second call or after {@link #close}
     */
    void backward(Runnable work) {
        if (wentBackward || closed) {
            throw new IllegalStateException("a pass goes backward once, and not after it is closed");
        }
        wentBackward = true;
        Arena.Mark before = core.trainingArena().mark();
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            core.discardGradients();
            throw e;
        } finally {
            core.trainingArena().release(before);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            core.trainingArena().release(mark);
        }
    }
}
