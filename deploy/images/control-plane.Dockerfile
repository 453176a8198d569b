# The seven workers of the control plane, without compute of their own.
# The context is deploy/images/out/control-plane, which `node tools/images/main.ts control-plane` fills.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY app /opt/switchyard
COPY --chown=10001:10001 state /var/lib/switchyard
ENV NODE_ENV=production SWITCHYARD_DATA_DIR=/var/lib/switchyard HOME=/var/lib/switchyard
WORKDIR /var/lib/switchyard
USER 10001
ENTRYPOINT ["node", "/opt/switchyard/bundle/main.mjs"]
CMD ["control-plane"]
