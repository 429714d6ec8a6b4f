package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class Wtf8Test {

    @Property(tries = 500)
    void wellFormedTextHasTheBytesOfUtf8(@ForAll String text) {
        String wellFormed = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);

        assertThat(Wtf8.encode(wellFormed)).isEqualTo(wellFormed.getBytes(StandardCharsets.UTF_8));
    }

    @Property(tries = 1000)
    void everyStringComesBack(@ForAll("anyString") String text) {
        assertThat(decode(Wtf8.encode(text))).isEqualTo(text);
    }

    @Property(tries = 1000)
    void invalidBytesAreReplacedAsJavaReplacesThem(@ForAll("bytes") byte[] bytes) {
        assertThat(decode(bytes)).isEqualTo(new String(bytes, StandardCharsets.UTF_8));
    }

    @Example
    void halvesOfPairsAreThreeBytesEach() {
        assertThat(Wtf8.encode("\ud800")).isEqualTo(hex("EDA080"));
        assertThat(Wtf8.encode("\udfff")).isEqualTo(hex("EDBFBF"));
        assertThat(Wtf8.encode("\ud83d\ude00")).isEqualTo(hex("F09F9880"));
    }

    @Example
    void twoEncodedHalvesAreOneCharacterAndComeOutAtOnce() {
        Wtf8.Decoder decoder = new Wtf8.Decoder();
        StringBuilder out = new StringBuilder();

        decoder.accept(Wtf8.encode("\ud83d"), out);
        assertThat(out).isEmpty();
        decoder.accept(Wtf8.encode("\ude00"), out);
        assertThat(out.toString()).isEqualTo("😀");
    }

    @Example
    void aHalfThatIsFollowedByAnythingElseIsReleased() {
        assertThat(decode(hex("EDA0BD41"))).isEqualTo("\ud83dA");
        assertThat(decode(hex("EDA0BDFF"))).isEqualTo("\ud83d\ufffd");
        assertThat(decode(hex("EDA0BDE4BD"))).isEqualTo("\ud83d\ufffd");
        assertThat(decode(hex("EDA0BDEDA0BD"))).isEqualTo("\ud83d\ud83d");
    }

    @Provide
    Arbitrary<String> anyString() {
        return Texts.anyString();
    }

    /** Bytes of which none begins an encoded surrogate, the one thing that Java's decoder refuses and ours does not. */
    @Provide
    Arbitrary<byte[]> bytes() {
        Arbitrary<Byte> any = Arbitraries.bytes().filter(b -> b != (byte) 0xED);
        Arbitrary<Byte> leading =
                Arbitraries.of((byte) 0xC3, (byte) 0xE0, (byte) 0xE4, (byte) 0xF0, (byte) 0xF4, (byte) 0xC0);
        Arbitrary<Byte> following = Arbitraries.of((byte) 0x80, (byte) 0x8F, (byte) 0x90, (byte) 0xA0, (byte) 0xBF);
        return Arbitraries.oneOf(any, leading, following).array(byte[].class).ofMaxSize(12);
    }

    private static String decode(byte[] bytes) {
        Wtf8.Decoder decoder = new Wtf8.Decoder();
        StringBuilder out = new StringBuilder();
        decoder.accept(bytes, out);
        decoder.finish(out);
        return out.toString();
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
