package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.TokenSequence;
import java.util.List;
import org.junit.jupiter.api.Test;

class PackedTokensTest {

    private final PackedTokens packed =
            PackedTokens.of(List.of(TokenSequence.of(10, 11, 12, 13), TokenSequence.of(20, 21, 22)), 30, 8);

    @Test
    void tailsAreTheRowsFromAPositionOn() {
        PackedTokens tails = packed.tails(new int[] {3, 1});
        assertThat(tails.tokens()).containsExactly(13, 21, 22);
        assertThat(tails.positions()).containsExactly(3, 1, 2);
        assertThat(tails.rows()).isEqualTo(3);
        assertThat(tails.start(1)).isEqualTo(1);
        assertThat(tails.sequence(1)).isEqualTo(1);
        assertThat(tails.whole()).isSameAs(packed);
        assertThat(tails.rowsOfWhole()).containsExactly(3, 5, 6);
    }

    @Test
    void beginningsAreWholeSequencesOfTheirOwn() {
        PackedTokens beginnings = packed.beginnings(new int[] {2, 3});
        assertThat(beginnings.tokens()).containsExactly(10, 11, 20, 21, 22);
        assertThat(beginnings.positions()).containsExactly(0, 1, 0, 1, 2);
        assertThat(beginnings.whole()).isSameAs(beginnings);
        assertThat(beginnings.tails(new int[] {1, 2}).tokens()).containsExactly(11, 22);
    }

    /** Where all rows are read nothing is copied. */
    @Test
    void allRowsAreTheSameObject() {
        assertThat(packed.tails(new int[] {0, 0})).isSameAs(packed);
        assertThat(packed.beginnings(new int[] {4, 3})).isSameAs(packed);
        assertThat(packed.whole()).isSameAs(packed);
    }

    @Test
    void refusesPlacesThatLeaveNothingOrLieOutside() {
        assertThatThrownBy(() -> packed.tails(new int[] {0, 3}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sequence 1 has 3 tokens; of 3 to 3 (exclusive) nothing is left");
        assertThatThrownBy(() -> packed.tails(new int[] {-1, 0})).hasMessageContaining("sequence 0");
        assertThatThrownBy(() -> packed.beginnings(new int[] {5, 1})).hasMessageContaining("sequence 0 has 4 tokens");
        assertThatThrownBy(() -> packed.tails(new int[] {1})).hasMessageContaining("1 places for 2 sequences");
        assertThatThrownBy(() -> packed.tails(new int[] {1, 1}).tails(new int[] {1, 1}))
                .hasMessageContaining("2 places for 2 tails");
    }
}
