package io.github.rlhf4j.transformer.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ranks of tiktoken: a line for each token, its bytes in Base64 and its rank, which is its id.
 *
 * <p>Such a file names no merges: two neighbours merge where what they spell has a rank, the lowest first. Before a token
 * can come about, the bytes it covers have merged as they would alone, so there is one pair that makes it: the last one
 * of merging its own bytes. A token that its own bytes do not merge to is one only where it is a whole piece.
 */
final class TiktokenFile {

    private static final int LONGEST_TOKEN = 1024; // bytes; merging them alone takes time of its square

    private final Map<String, Integer> ranks = new LinkedHashMap<>();

    private TiktokenFile() {}

    static BytePairTokenizer load(Path file, Pretokenizer pretokenizer, Map<String, Integer> specialTokens)
            throws IOException {
        TiktokenFile read = new TiktokenFile();
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.US_ASCII)) {
            int number = 1;
            for (String line = in.readLine(); line != null; line = in.readLine(), number++) {
                if (!line.isEmpty()) {
                    read.add(line, file + ", line " + number);
                }
            }
        } catch (NoSuchFileException e) {
            throw TokenizerJson.missing(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is no file of ranks: it is not ASCII text.", e);
        }
        BytePairOptions options = BytePairOptions.of(pretokenizer)
                .withSpecialTokens(specialTokens)
                .withWholePiecesFirst(true);
        try {
            return BytePairTokenizer.of(read.ranks, read.merges(), options);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private void add(String line, String place) throws IOException {
        int space = line.indexOf(' ');
        try {
            byte[] bytes = Base64.getDecoder().decode(line.substring(0, Math.max(0, space)));
            int rank = Integer.parseInt(line.substring(space + 1));
            if (bytes.length == 0 || bytes.length > LONGEST_TOKEN) {
                throw new IOException(place + ": a token of " + bytes.length + " bytes; it must have 1 to "
                        + LONGEST_TOKEN + ". Restore the file.");
            }
            Integer earlier = ranks.putIfAbsent(ByteAlphabet.spell(bytes), rank);
            if (earlier != null) {
                throw new IOException(
                        place + ": the token has a rank already, " + earlier + ". Each stands in the file once.");
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    place + ": \"" + line.substring(0, Math.min(60, line.length()))
                            + "\" is not a token in Base64, a space and its rank. Is it a file of tiktoken's?",
                    e);
        }
    }

    private List<Merge> merges() {
        List<Map.Entry<String, Integer>> byRank = new ArrayList<>(ranks.entrySet());
        byRank.sort(Map.Entry.comparingByValue());
        List<Merge> merges = new ArrayList<>();
        for (Map.Entry<String, Integer> token : byRank) {
            Merge last = lastMerge(token.getKey());
            if (last != null) {
                merges.add(last);
            }
        }
        return merges;
    }

    /** Merges the token's bytes until two parts are left, which are what makes it. */
    private @Nullable Merge lastMerge(String token) {
        List<String> parts = new ArrayList<>(token.length());
        for (int i = 0; i < token.length(); i++) {
            parts.add(token.substring(i, i + 1));
        }
        while (parts.size() > 2) {
            int best = lowestPair(parts);
            if (best < 0) {
                return null;
            }
            parts.set(best, parts.get(best) + parts.remove(best + 1));
        }
        return parts.size() == 2 ? new Merge(parts.get(0), parts.get(1)) : null;
    }

    private int lowestPair(List<String> parts) {
        int best = -1;
        int lowest = Integer.MAX_VALUE;
        for (int i = 0; i + 1 < parts.size(); i++) {
            Integer rank = ranks.get(parts.get(i) + parts.get(i + 1));
            if (rank != null && rank < lowest) {
                lowest = rank;
                best = i;
            }
        }
        return best;
    }
}
