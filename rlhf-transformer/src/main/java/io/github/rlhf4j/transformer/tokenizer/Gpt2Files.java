package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads {@code encoder.json} and {@code vocab.bpe} as GPT-2 came with them. */
final class Gpt2Files {

    private Gpt2Files() {}

    static BytePairTokenizer load(Path vocabularyFile, Path mergesFile, List<String> specialNames) throws IOException {
        JsonNode root = TokenizerJson.readObject(vocabularyFile);
        Map<String, Integer> vocabulary = TokenizerJson.ids(vocabularyFile, "the vocabulary", root);
        List<Merge> merges = readMerges(mergesFile);
        Map<String, Integer> special = new HashMap<>();
        for (String name : specialNames) {
            Integer id = vocabulary.get(name);
            if (id == null) {
                throw new IOException(vocabularyFile + ": the special token " + name
                        + " is not in the vocabulary. Name one that is, or none.");
            }
            special.put(name, id);
        }
        try {
            return BytePairTokenizer.of(vocabulary, merges, special, Pretokenizer.gpt2());
        } catch (IllegalArgumentException e) {
            throw new IOException(vocabularyFile + " and " + mergesFile + ": " + e.getMessage(), e);
        }
    }

    private static List<Merge> readMerges(Path file) throws IOException {
        List<Merge> merges = new ArrayList<>();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            boolean header = i == 0 && line.startsWith("#version");
            if (header || line.isEmpty()) {
                continue;
            }
            try {
                merges.add(Merge.parse(line));
            } catch (IllegalArgumentException e) {
                throw new IOException(file + ", line " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        return merges;
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            throw TokenizerJson.missing(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not UTF-8 text. Save it as UTF-8.", e);
        }
    }
}
