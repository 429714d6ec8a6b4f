package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.internal.Json;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The rows of a JSON Lines file, or of a file that is one JSON array (told by its first character), one at a time. Blank
 * lines are skipped; a file without a row is an error.
 */
final class JsonRows {

    /** Takes a row. */
    @FunctionalInterface
    interface Consumer {
        void accept(Row row) throws IOException;
    }

    private JsonRows() {}

    static void forEach(Path file, Consumer consumer) throws IOException {
        forEach(file, LineReader.MAX_LINE_BYTES, consumer);
    }

    static void forEach(Path file, int maxRowBytes, Consumer consumer) throws IOException {
        long rows = isArray(file) ? array(file, maxRowBytes, consumer) : lines(file, maxRowBytes, consumer);
        if (rows == 0) {
            throw new DatasetException(file + " has no rows; give a file with at least one JSON object");
        }
    }

    private static boolean isArray(Path file) throws IOException {
        try (InputStream in = LineReader.open(file)) {
            int b = in.read();
            while (b == ' ' || b == '\t' || b == '\r' || b == '\n') {
                b = in.read();
            }
            return b == '[';
        } catch (IOException e) {
            throw LineReader.damaged(file, e);
        }
    }

    private static long lines(Path file, int maxRowBytes, Consumer consumer) throws IOException {
        long rows = 0;
        try (LineReader lines = new LineReader(file, maxRowBytes)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    String place = file + ", line " + lines.lineNumber();
                    consumer.accept(new Row(place, parse(place, line)));
                    rows++;
                }
            }
        }
        return rows;
    }

    private static JsonNode parse(String place, String line) throws DatasetException {
        try {
            return Json.MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            String column =
                    e.getLocation() == null ? "" : " (column " + e.getLocation().getColumnNr() + ")";
            throw new DatasetException(
                    place + " is not valid JSON" + column + ": " + Json.firstLine(e.getOriginalMessage())
                            + ". In JSON Lines each line holds one whole object; correct or remove the line.",
                    e);
        }
    }

    private static long array(Path file, int maxRowBytes, Consumer consumer) throws IOException {
        long index = 0;
        try (Budget in = new Budget(LineReader.open(file), maxRowBytes);
                JsonParser parser = Json.MAPPER.getFactory().createParser(in)) {
            in.place = file + ", row " + index;
            parser.nextToken(); // the opening bracket
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                String place = file + ", row " + index + " of the array";
                consumer.accept(new Row(place, Json.readElement(parser)));
                index++;
                in.renew(file + ", row " + index + " of the array");
            }
            if (parser.nextToken() != null) {
                throw new DatasetException(file + " goes on after its JSON array (line "
                        + parser.currentLocation().getLineNr() + "); remove what follows the closing bracket");
            }
        } catch (JsonEOFException e) {
            throw new DatasetException(
                    file + " ends inside row " + index + " of its JSON array; the file is cut off, get it again", e);
        } catch (JsonProcessingException e) {
            throw new DatasetException(
                    file + ", row " + index + " of the array is not valid JSON: " + Json.problem(e) + "; correct it",
                    e);
        } catch (IOException e) {
            throw LineReader.damaged(file, e);
        }
        return index;
    }

    /** Passes on so many bytes per row, and no more. */
    private static final class Budget extends FilterInputStream {

        private static final int READ_AHEAD = 1 << 13;

        private final int perRow;
        private long left;
        private String place = "";

        Budget(InputStream in, int perRow) {
            super(in);
            this.perRow = perRow;
            renew("");
        }

        void renew(String newPlace) {
            place = newPlace;
            left = (long) perRow + READ_AHEAD;
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            spend(b < 0 ? 0 : 1);
            return b;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int n = super.read(buffer, offset, Math.min(length, READ_AHEAD));
            spend(Math.max(0, n));
            return n;
        }

        private void spend(int bytes) throws DatasetException {
            left -= bytes;
            if (left < 0) {
                throw new DatasetException(place + " is longer than " + perRow + " bytes; is this the right file?");
            }
        }
    }
}
