package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;

/** A growing array of ints. */
final class IntBuffer {

    private int[] elements;
    private int size;

    IntBuffer(int capacity) {
        elements = new int[Math.max(4, capacity)];
    }

    int size() {
        return size;
    }

    /** The element added last, or -1. */
    int last() {
        return size == 0 ? -1 : elements[size - 1];
    }

    void add(int element) {
        reserve(1);
        elements[size++] = element;
    }

    void addAll(int[] more) {
        if (more.length == 1) {
            add(more[0]); // most often
            return;
        }
        reserve(more.length);
        System.arraycopy(more, 0, elements, size, more.length);
        size += more.length;
    }

    private void reserve(int more) {
        if (size + more > elements.length) {
            elements = Arrays.copyOf(elements, Math.max(2 * elements.length, size + more));
        }
    }

    int[] toArray() {
        return Arrays.copyOf(elements, size);
    }
}
