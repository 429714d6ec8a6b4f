package io.github.rlhf4j.core;

import com.google.common.collect.ImmutableMap;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A toy tokenizer for tests: one token per UTF-8 byte, special tokens from 256 on. */
final class ByteTokenizer implements Tokenizer {

    private final ImmutableMap<String, Integer> specials;

    ByteTokenizer(String... specials) {
        ImmutableMap.Builder<String, Integer> ids = ImmutableMap.builder();
        for (int i = 0; i < specials.length; i++) {
            ids.put(specials[i], 256 + i);
        }
        this.specials = ids.build();
    }

    @Override
    public TokenSequence encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        return TokenSequence.of(ids);
    }

    @Override
    public String decode(TokenSequence tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        tokens.stream().filter(id -> id < 256).forEach(bytes::write);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public int vocabularySize() {
        return 256 + specials.size();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return specials;
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        throw new UnsupportedOperationException("no test of this module streams");
    }
}
