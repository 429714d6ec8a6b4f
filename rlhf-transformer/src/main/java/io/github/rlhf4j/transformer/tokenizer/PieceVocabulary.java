package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tokens of a SentencePiece vocabulary by id and what each is for, with the ways to look them up; immutable. */
final class PieceVocabulary {

    /** SentencePiece's spelling of a space. */
    static final char SPACE = '▁';

    static final int NONE = -1;

    private static final byte[] NO_BYTES = {};

    private final List<String> tokens;
    private final List<TokenType> types;
    private final Map<String, Integer> normal = new HashMap<>();
    private final Map<Integer, Integer> idOfCharacter = new HashMap<>();
    private final int @Nullable [] idOfByte;
    private final int unknown;
    private final byte[][] bytesOfId;
    private final Map<String, Integer> special;
    private final boolean spacesBeginTokens;

    /**
     * @throws IllegalArgumentException when lists differ in length, a token is spelled like another, a byte is malformed,
     *     listed twice or missing while others are there, or there is neither a token for bytes nor one for the unknown
     */
    PieceVocabulary(List<String> tokens, List<TokenType> types) {
        if (tokens.size() != types.size()) {
            throw new IllegalArgumentException("there are " + tokens.size() + " tokens but " + types.size()
                    + " types of tokens. Give one for each.");
        }
        this.tokens = List.copyOf(tokens);
        this.types = List.copyOf(types);
        this.bytesOfId = new byte[tokens.size()][];
        int[] bytes = new int[256];
        Arrays.fill(bytes, NONE);
        Map<String, Integer> specialOnes = new LinkedHashMap<>();
        Map<String, Integer> all = new HashMap<>();
        int firstUnknown = NONE;
        for (int id = 0; id < bytesOfId.length; id++) {
            String token = tokens.get(id);
            TokenType type = types.get(id);
            Integer earlier = all.putIfAbsent(token, id);
            if (earlier != null) {
                throw new IllegalArgumentException("tokens " + earlier + " and " + id + " are both spelled \"" + token
                        + "\". Give each token a spelling of its own.");
            }
            bytesOfId[id] = type.isSpecial() ? NO_BYTES : Wtf8.encode(token.replace(SPACE, ' '));
            switch (type) {
                case NORMAL -> addNormal(token, id);
                case BYTE -> {
                    int b = parseByte(token, id);
                    bytes[b] = id;
                    bytesOfId[id] = new byte[] {(byte) b};
                }
                case UNKNOWN -> firstUnknown = firstUnknown == NONE ? id : firstUnknown;
                default -> {}
            }
            if (type.isSpecial()) {
                specialOnes.put(token, id);
            }
        }
        this.unknown = firstUnknown;
        this.idOfByte = checkBytes(bytes);
        this.special = SpecialTokens.ordered(specialOnes);
        this.spacesBeginTokens = normal.keySet().stream().allMatch(PieceVocabulary::hasSpacesAtItsBeginningOnly);
    }

    private void addNormal(String token, int id) {
        normal.put(token, id);
        int character = token.isEmpty() ? NONE : token.codePointAt(0);
        if (character != NONE && Character.charCount(character) == token.length()) {
            idOfCharacter.put(character, id);
        }
    }

    /** The byte that {@code <0x0A>} spells, or {@link #NONE}. */
    static int parseByte(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return NONE;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? NONE : high << 4 | low;
    }

    private static int parseByte(String token, int id) {
        int b = parseByte(token);
        if (b == NONE) {
            throw new IllegalArgumentException("token " + id + " is a byte but is spelled \"" + token
                    + "\"; bytes are spelled like <0x0A>. Correct the spelling or the type.");
        }
        return b;
    }

    private int @Nullable [] checkBytes(int[] bytes) {
        int missing = NONE;
        int present = 0;
        for (int b = 255; b >= 0; b--) {
            if (bytes[b] == NONE) {
                missing = b;
            } else {
                present++;
            }
        }
        if (missing == NONE) {
            return bytes;
        }
        if (present > 0) {
            throw new IllegalArgumentException(
                    String.format("there are %d tokens for bytes, but none for byte <0x%02X>", present, missing)
                            + ". Give all 256 or none.");
        }
        if (unknown == NONE) {
            throw new IllegalArgumentException("the vocabulary has neither tokens for bytes (<0x00> to <0xFF>) nor one"
                    + " for the unknown, so some texts could not be encoded. Add either.");
        }
        return null;
    }

    private static boolean hasSpacesAtItsBeginningOnly(String token) {
        int last = token.lastIndexOf(SPACE);
        for (int i = 0; i < last; i++) {
            if (token.charAt(i) != SPACE) {
                return false;
            }
        }
        return true;
    }

    int size() {
        return bytesOfId.length;
    }

    List<String> tokens() {
        return tokens;
    }

    List<TokenType> types() {
        return types;
    }

    /** Special tokens in the order of their ids; unmodifiable. */
    Map<String, Integer> special() {
        return special;
    }

    /** The id of a learned token, or null when there is none of this spelling. */
    @Nullable
    Integer normal(String token) {
        return normal.get(token);
    }

    /** Whether no learned token has a space after anything else, so that nothing merges across the beginning of a word. */
    boolean spacesBeginTokens() {
        return spacesBeginTokens;
    }

    /** The id of the unknown token, or {@link #NONE}. */
    int unknown() {
        return unknown;
    }

    boolean hasBytes() {
        return idOfByte != null;
    }

    /** Adds the ids of one character: its own, those of its bytes, or the unknown token's. */
    void addCharacter(int character, IntBuffer ids) {
        Integer id = idOfCharacter.get(character);
        if (id != null) {
            ids.add(id);
        } else if (idOfByte == null) {
            ids.add(unknown);
        } else {
            for (byte b : Wtf8.encode(Character.toString(character))) {
                ids.add(idOfByte[b & 0xFF]);
            }
        }
    }

    /** The bytes that a token stands for, not to be altered; none for a special one. */
    byte[] bytesOf(int token) {
        if (token < 0 || token >= bytesOfId.length) {
            throw new IllegalArgumentException("token id " + token + " is outside the vocabulary of " + bytesOfId.length
                    + " tokens (ids 0.." + (bytesOfId.length - 1)
                    + "). Decode with the tokenizer that the model was trained with.");
        }
        return bytesOfId[token];
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof PieceVocabulary other && tokens.equals(other.tokens) && types.equals(other.types);
    }

    @Override
    public int hashCode() {
        return tokens.hashCode();
    }
}
