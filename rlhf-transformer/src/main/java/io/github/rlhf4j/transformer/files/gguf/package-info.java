/** GGUF, the model files of llama.cpp and Ollama. */
@NullMarked
package io.github.rlhf4j.transformer.files.gguf;

import org.jspecify.annotations.NullMarked;
