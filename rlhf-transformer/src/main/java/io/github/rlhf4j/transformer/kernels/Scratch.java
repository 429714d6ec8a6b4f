package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Reusable {@code float[]} of the calling thread, one for each slot. Fresh megabytes on each call cost more than the work
 * on them. Contents are whatever was there before; an array belongs to the caller until it asks for the same slot again,
 * so a method and those it calls use different slots, and only those from {@link #HELD} on are held while {@link Parallel}
 * runs tasks.
 */
final class Scratch {

    /** The slots of {@link ScalarLoops}, which any kernel may call. */
    static final int MATH = 15;

    static final int MATH_RESULT = 14;

    /** The slot of {@code SimdLoops}, which any kernel may call too. */
    static final int LANES = 13;

    /** First of the slots of what the caller of {@link Parallel} holds while its tasks, on this thread too, use others. */
    static final int HELD = 8;

    /** First of the slots of {@link PanelAttention}, {@value #ATTENTION_SLOTS} of them. */
    static final int ATTENTION = 16;

    private static final int ATTENTION_SLOTS = 12;

    /** The slots of {@link FusedInt8}. */
    static final int INT8_SCALES = ATTENTION + ATTENTION_SLOTS;

    static final int INT8_LINE = INT8_SCALES + 1;

    private static final int SLOTS = INT8_LINE + 1;
    private static final int POINTERS = 3;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final float[][] arrays = new float[SLOTS][0];

    private byte[] bytes = new byte[0];

    private FloatPointer nativeFloats = new FloatPointer();

    private final MovingBytes bytePointer = new MovingBytes();

    private final MovingPointer[] pointers = new MovingPointer[POINTERS];

    private Scratch() {
        for (int i = 0; i < POINTERS; i++) {
            pointers[i] = new MovingPointer();
        }
    }

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** One of {@value #POINTERS} pointers, for one native call. */
    MovingPointer pointer(int number) {
        return pointers[number];
    }

    /** At least {@code length} floats, uninitialised. */
    float[] take(int slot, int length) {
        if (arrays[slot].length < length) {
            arrays[slot] = new float[Math.max(length, Math.min(2 * arrays[slot].length, 1 << 24))];
        }
        return arrays[slot];
    }

    /** At least {@code length} bytes, uninitialised, until the next call. */
    byte[] takeBytes(int length) {
        if (bytes.length < length) {
            bytes = new byte[length];
        }
        return bytes;
    }

    /** At least {@code length} floats of native memory, uninitialised, until the next call. */
    FloatPointer takeNative(long length) {
        if (nativeFloats.capacity() < length) {
            nativeFloats.deallocate();
            nativeFloats = new FloatPointer(length);
        }
        return nativeFloats;
    }

    /** For one native call. */
    MovingBytes bytePointer() {
        return bytePointer;
    }

    /** At least {@code length} floats, the first {@code length} of them zero. */
    float[] takeZeros(int slot, int length) {
        float[] array = take(slot, length);
        Arrays.fill(array, 0, length, 0);
        return array;
    }
}
