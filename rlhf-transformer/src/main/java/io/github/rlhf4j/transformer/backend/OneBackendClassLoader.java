package io.github.rlhf4j.transformer.backend;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/**
 * Its parent in everything, but for the list of ND4J backends: that names one class. The list is made up rather than
 * picked from the jars' lists, because a shaded jar merges them into one.
 */
final class OneBackendClassLoader extends ClassLoader {

    private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    private final byte[] list;

    OneBackendClassLoader(ClassLoader parent, String backendClass) {
        super(parent);
        this.list = backendClass.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
        if (!name.equals(SERVICE)) {
            return super.getResources(name);
        }
        return Collections.enumeration(List.of(new URL(null, "rlhf4j:backend", new InMemory(list))));
    }

    private static final class InMemory extends URLStreamHandler {

        private final byte[] content;

        InMemory(byte[] content) {
            this.content = content;
        }

        @Override
        protected URLConnection openConnection(URL url) {
            return new URLConnection(url) {
                @Override
                public void connect() {}

                @Override
                public InputStream getInputStream() {
                    return new ByteArrayInputStream(content);
                }
            };
        }
    }
}
