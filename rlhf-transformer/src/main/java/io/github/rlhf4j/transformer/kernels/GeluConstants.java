package io.github.rlhf4j.transformer.kernels;

/** The numbers of GELU's tanh form (Hendrycks and Gimpel 2016). */
final class GeluConstants {

    /** 2·√(2/π): tanh(u) = 2σ(2u) − 1. */
    static final float TWICE_SCALE = (float) (2 * Math.sqrt(2 / Math.PI));

    static final float CUBIC = 0.044715f;

    private GeluConstants() {}
}
