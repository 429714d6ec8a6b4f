package io.github.rlhf4j.transformer.tokenizer;

import java.text.Normalizer;

/** Unicode's composed form (NFC, UAX #15), by the Unicode version of the running Java. */
final class Composer {

    private static final char FIRST_THAT_COMPOSES = '\u0300'; // all characters below stand for themselves

    private Composer() {}

    static String compose(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= FIRST_THAT_COMPOSES) {
                return Normalizer.normalize(text, Normalizer.Form.NFC);
            }
        }
        return text;
    }
}
