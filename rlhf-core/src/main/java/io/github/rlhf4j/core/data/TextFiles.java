package io.github.rlhf4j.core.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Text corpora for pretraining. A file whose name ends in {@code .jsonl}, {@code .ndjson} or {@code .json} (also with
 * {@code .gz}) has a document per row, in its field {@code text}; any other file is text, divided as {@link Split} says.
 */
public final class TextFiles {

    /** A document of more characters than this is refused. */
    static final int MAX_DOCUMENT_CHARS = 512 << 20;

    private static final String END_OF_TEXT = "<|endoftext|>";

    /** Where a document ends in a plain text file. Documents that are blank are left out. */
    public enum Split {
        /** At one or more blank lines; the lines of a document keep their breaks. */
        BLANK_LINES,
        /** Each line is a document. */
        LINES,
        /** At lines that hold {@code <|endoftext|>} and nothing else, as TinyStories has them. */
        END_OF_TEXT_LINES,
        /** The file is one document, kept character by character but for CRLF, which becomes LF. */
        WHOLE_FILE
    }

    private TextFiles() {}

    /** All documents of a file, a plain text one divided at blank lines. */
    public static List<String> read(Path file) throws IOException {
        return read(file, Split.BLANK_LINES);
    }

    /**
     * All documents of a file; at least one.
     *
     * @param split how a plain text file is divided; a JSON file is divided into its rows
     * @throws DatasetException naming line, field and remedy; also when the file has no text
     */
    public static List<String> read(Path file, Split split) throws IOException {
        List<String> documents = new ArrayList<>();
        forEach(file, split, documents::add);
        return documents;
    }

    /** Passes the documents of a file on one by one, in its order; for files larger than the memory. */
    public static void forEach(Path file, Split split, Consumer<? super String> consumer) throws IOException {
        if (isJson(file)) {
            JsonRows.forEach(file, row -> {
                row.requireObject();
                consumer.accept(row.text("text"));
            });
            return;
        }
        Documents documents = new Documents(file, split, consumer);
        try (LineReader lines = new LineReader(file, LineReader.MAX_LINE_BYTES)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                documents.line(line);
            }
        }
        documents.end();
        if (documents.count == 0) {
            throw new DatasetException(file + " has no text; give a file with at least one line that is not blank");
        }
    }

    /**
     * Checks that a corpus is large enough.
     *
     * @param what names the corpus, mostly its file
     * @param purpose what needs the documents, for the message: {@code "pretraining with a held-out part"}
     * @return {@code documents}
     * @throws DatasetException when there are fewer than {@code atLeast}
     */
    public static List<String> requireDocuments(Object what, List<String> documents, int atLeast, String purpose)
            throws DatasetException {
        if (documents.size() < atLeast) {
            throw new DatasetException(
                    what + " has " + documents.size() + (documents.size() == 1 ? " document" : " documents")
                            + ", but " + purpose + " needs at least " + atLeast
                            + "; give more text, or divide it differently (by blank lines, or one document per line)");
        }
        return documents;
    }

    static boolean isJson(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".gz")) {
            name = name.substring(0, name.length() - 3);
        }
        return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json");
    }

    /** Puts lines together to documents. */
    private static final class Documents {

        private final Path file;
        private final Split split;
        private final Consumer<? super String> consumer;
        private final StringBuilder document = new StringBuilder();
        private long count;

        Documents(Path file, Split split, Consumer<? super String> consumer) {
            this.file = file;
            this.split = split;
            this.consumer = consumer;
        }

        void line(String line) throws DatasetException {
            if (endsDocument(line)) {
                end();
                return;
            }
            if (document.length() + line.length() > MAX_DOCUMENT_CHARS) {
                throw new DatasetException(file + " has a document of more than " + MAX_DOCUMENT_CHARS
                        + " characters; divide the text by blank lines, or into lines");
            }
            document.append(line).append('\n');
            if (split == Split.LINES) {
                end();
            }
        }

        private boolean endsDocument(String line) {
            return split == Split.BLANK_LINES && line.isBlank()
                    || split == Split.END_OF_TEXT_LINES && line.strip().equals(END_OF_TEXT);
        }

        void end() {
            String text = split == Split.WHOLE_FILE
                    ? document.toString()
                    : document.toString().stripTrailing();
            document.setLength(0);
            if (!text.isBlank()) {
                consumer.accept(text);
                count++;
            }
        }
    }
}
