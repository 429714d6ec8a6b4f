package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Each test of the tokenizers' contract fails on a tokenizer that breaks its promise, and says which. */
class BrokenTokenizerTest {

    /** Characters below 256 as bytes and two special tokens, each part replaceable by a broken one. */
    private static class Bytes implements Tokenizer {

        @Override
        public TokenSequence encode(String text) {
            return TokenSequence.of(text.chars().toArray());
        }

        @Override
        public String decode(TokenSequence tokens) {
            StringBuilder text = new StringBuilder();
            for (int id : tokens.toArray()) {
                if (id >= vocabularySize()) {
                    throw new IllegalArgumentException("id " + id);
                }
                text.append(id < 256 ? String.valueOf((char) id) : "");
            }
            return text.toString();
        }

        @Override
        public int vocabularySize() {
            return 258;
        }

        @Override
        public Map<String, Integer> specialTokens() {
            return Map.of("<end>", 256, "<user>", 257);
        }

        @Override
        public StreamingDecoder streamingDecoder() {
            return new StreamingDecoder() {
                @Override
                public String accept(int token) {
                    return decode(TokenSequence.of(token));
                }

                @Override
                public String finish() {
                    return "";
                }
            };
        }
    }

    private static TokenizerContract tokenizer(Tokenizer tokenizer) {
        return new TokenizerContract() {
            @Override
            protected Tokenizer tokenizer() {
                return tokenizer;
            }

            @Override
            protected List<String> texts() {
                return List.of("", "a", "A Cat ");
            }
        };
    }

    /** What is broken below is all that is. */
    @Test
    void theTokenizerThatIsBrokenBelowIsWhole() {
        TokenizerContract whole = tokenizer(new Bytes());
        whole.decodingGivesBackTheText();
        whole.everyIdLiesInTheVocabulary();
        whole.textNeverBecomesASpecialToken();
        whole.specialTokensHaveNoText();
        whole.theStreamPutTogetherIsTheDecodedText();
        whole.anIdOutsideTheVocabularyIsRefused();
        whole.manyThreadsGetTheSameTokens();
    }

    @Test
    void tokenizers() {
        TokenizerContract lowerCase = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return super.encode(text.toLowerCase(Locale.ROOT));
            }
        });
        assertFails(lowerCase, TokenizerContract::decodingGivesBackTheText, "must be the text");
        TokenizerContract small = tokenizer(new Bytes() {
            @Override
            public int vocabularySize() {
                return 90;
            }
        });
        assertFails(small, TokenizerContract::everyIdLiesInTheVocabulary, "every id must lie in");
        TokenizerContract injectable = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return text.equals("<user>") ? TokenSequence.of(257) : super.encode(text);
            }
        });
        assertFails(injectable, TokenizerContract::textNeverBecomesASpecialToken, "must never become a special token");
        TokenizerContract spelled = tokenizer(new Bytes() {
            @Override
            public String decode(TokenSequence tokens) {
                return super.decode(tokens) + (tokens.stream().anyMatch(id -> id == 256) ? "<end>" : "");
            }
        });
        assertFails(spelled, TokenizerContract::specialTokensHaveNoText, "must leave out the special token");
        TokenizerContract spaced = tokenizer(new Bytes() {
            @Override
            public StreamingDecoder streamingDecoder() {
                StreamingDecoder decoder = super.streamingDecoder();
                return new StreamingDecoder() {
                    @Override
                    public String accept(int token) {
                        return decoder.accept(token).strip();
                    }

                    @Override
                    public String finish() {
                        return decoder.finish();
                    }
                };
            }
        });
        assertFails(spaced, TokenizerContract::theStreamPutTogetherIsTheDecodedText, "put together");
        TokenizerContract lenient = tokenizer(new Bytes() {
            @Override
            public String decode(TokenSequence tokens) {
                return super.decode(
                        TokenSequence.of(tokens.stream().map(id -> id % 258).toArray()));
            }
        });
        assertFails(lenient, TokenizerContract::anIdOutsideTheVocabularyIsRefused, "must refuse the id");
        AtomicInteger calls = new AtomicInteger();
        TokenizerContract stateful = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return TokenSequence.of(calls.getAndIncrement());
            }
        });
        assertFails(stateful, TokenizerContract::manyThreadsGetTheSameTokens, "many threads");
    }
}
