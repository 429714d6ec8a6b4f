package io.github.rlhf4j.core.data;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A file is not the dataset it was read as; the message names file, line, field and remedy. */
public final class DatasetException extends IOException {

    private static final long serialVersionUID = 1L;

    public DatasetException(String message) {
        super(message);
    }

    public DatasetException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
