package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PairMergerTest {

    /** Incremental counts equal counting anew, where overlaps (aaa), ties and pieces of all lengths abound. */
    @Property(tries = 400)
    void countsAsTheNaiveTrainerDoes(@ForAll("corpora") List<String> documents) {
        List<Merge> expected = NaiveBytePairs.train(documents, 60);
        int distinctTokens =
                (int) expected.stream().map(Merge::merged).distinct().count();

        BytePairTokenizer tokenizer =
                new BytePairTrainer(256 + distinctTokens).train(documents).tokenizer();

        assertThat(tokenizer.merges()).isEqualTo(expected);
    }

    @Provide
    Arbitrary<List<String>> corpora() {
        Arbitrary<String> dense =
                Arbitraries.strings().withChars("aaab ").ofMinLength(1).ofMaxLength(40);
        Arbitrary<String> mixed =
                Arbitraries.strings().withChars("abcé你 \n'1").ofMinLength(1).ofMaxLength(30);
        return Arbitraries.oneOf(dense, mixed).list().ofMinSize(1).ofMaxSize(6);
    }
}
